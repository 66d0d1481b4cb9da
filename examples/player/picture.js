// The picture: a column for each time step, a row for each node, edges from operand to result.

const columns = []; // by step, made when first shown
function makeNode(i) {
  const node = nodes[i];
  const room = node.step === null ? 250 : 120; // px
  const maps = make("div", { class: "maps" }, map("value", node.shape, node.value, room));
  if (node.cotangent) maps.append(map("cotangent", node.shape, node.cotangent, room));
  const op = node.named ? node.op.split(" ")[0] + " " : "";
  const element = make("div", { class: "node", role: "button", tabindex: -1, "data-node": i },
    make("b", {}, node.label), " ", make("span", { class: "op" }, `${op}[${node.shape}]`), maps);
  if (node.operands.length) element.append(make("div", { class: "reads" }, "← " + node.operands.map((from) => nodes[from].label).join(", ")));
  if (!node.named) element.classList.add("unnamed");
  if (node.difference !== undefined) element.classList.add("wrong");
  if (i === culprit) element.classList.add("culprit");
  node.element = element;
  paint(node);
  return element;
}
function paint(node) {
  if (!node.element) return;
  const valued = isGiven(node) || node.valuedAt <= position, visited = node.visitedAt <= position;
  node.element.classList.toggle("valued", valued);
  node.element.classList.toggle("visited", visited);
  let label = `${node.label} ${node.element.querySelector(".op").textContent}`;
  if (valued) label += `, ‖${words.value}‖ ${format(norm(node.value))}`;
  if (visited) label += `, ‖${words.cotangent}‖ ${format(norm(node.cotangent))}`;
  node.element.setAttribute("aria-label", label);
}
function column(t) {
  if (!columns[t]) {
    columns[t] = make("div", { class: "column", role: "group" }, make("h3", {}, words.stepTitle(t)));
    columns[t].setAttribute("aria-label", words.stepTitle(t));
    nodes.forEach((node, i) => { if (node.step === t) columns[t].append(makeNode(i)); });
    const next = columns.slice(t + 1).find(Boolean) ?? null;
    by("time").insertBefore(columns[t], next);
  }
  return columns[t];
}

let columnsShown = 0;
function countColumns() {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  columnsShown = Math.max(1, Math.min(steps, Math.floor((by("time").clientWidth + 1.75 * rem) / (10.5 * rem))));
}
/** Shows the columns around a step, and draws the edges among them. */
function showColumns(step, again = false) {
  let first = firstColumn;
  if (step !== null) first = Math.min(Math.max(first, step - columnsShown + 1), step);
  first = Math.max(0, Math.min(first, steps - columnsShown));
  if (first === firstColumn && !again) return;
  firstColumn = first;
  for (let t = 0; t < steps; t++) {
    const shown = t >= first && t < first + columnsShown;
    if (shown) column(t).hidden = false;
    else if (columns[t]) columns[t].hidden = true;
  }
  by("window").textContent = columnsShown < steps ? words.window(first, first + columnsShown - 1, steps) : "";
  drawEdges();
}

const edges = new Map();
function drawEdges() {
  const frame = by("picture").getBoundingClientRect();
  const boxes = nodes.map(({ element }) => {
    const box = element?.getBoundingClientRect();
    return box?.width ? new DOMRect(box.x - frame.x, box.y - frame.y, box.width, box.height) : null;
  });
  edges.clear();
  nodes.forEach((node, to) => new Set(node.operands).forEach((from) => {
    const path = edgePath(boxes[from], boxes[to], nodes[from], node);
    const inside = nodes[from].step !== null && node.step !== null;
    if (path) edges.set(`${from}-${to}`, make("path", { d: path, class: inside ? "" : "use" }));
  }));
  by("edges").replaceChildren(...edges.values());
  lightEdges();
}
/** The path from box a to box b: straight to the next row, else a curve past the nodes between. */
function edgePath(a, b, from, to) {
  if (!b) return null;
  const middle = (box) => (box.top + box.bottom) / 2, centre = (box) => (box.left + box.right) / 2;
  const curve = (...points) => `M${points[0]} C${points.slice(1).join(", ")}`;
  const p = (x, y) => `${x} ${y}`;
  const [x, y, u, v] = [a && centre(a), a && middle(a), centre(b), middle(b)];
  const inside = from.step !== null && to.step !== null;
  if (!a) return inside ? `M0 ${v} H${b.left}` : null; // from a column that is not shown
  // To and from the lane below: along the gap to the right of the column.
  const gap = (inside ? 0 : from.step === null ? b.right : a.right) + 11;
  if (from.step === null) {
    const rise = curve(p(x, a.top), p(x, a.top - 30), p(gap, a.top), p(gap, a.top - 45));
    return `${rise} V${v + 8} Q${p(gap, v)}, ${p(b.right, v)}`;
  }
  if (to.step === null) {
    return `M${p(a.right, y)} Q${p(gap, y)}, ${p(gap, y + 8)} V${b.top - 45} C${p(gap, b.top)}, ${p(u, b.top - 30)}, ${p(u, b.top)}`;
  }
  if (from.step !== to.step) return curve(p(a.right, y), p(a.right + 24, y), p(b.left - 24, v), p(b.left, v));
  if (b.top - a.bottom < 20) return `M${x} ${a.bottom} V${b.top}`;
  return curve(p(a.left, y), p(a.left - 14, y), p(b.left - 14, v), p(b.left, v));
}
/** The edges of the event: to the node forwards, into it from its users backwards. */
function lightEdges() {
  by("edges").querySelectorAll(".now").forEach((path) => path.classList.remove("now"));
  const { phase, i } = events[position];
  const keys = phase === "forward" ? nodes[i].operands.map((from) => `${from}-${i}`)
    : phase === "backward" ? nodes[i].users.filter((user) => user !== null).map((user) => `${i}-${user}`) : [];
  for (const key of keys) edges.get(key)?.classList.add("now");
}
