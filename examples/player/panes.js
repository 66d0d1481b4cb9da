// The panes beside the picture.

// ---- The event as an equation of maps ----

const part = (kind, label, shape, values) => make("figure", {}, make("figcaption", {}, label), map(kind, shape, values));
const sign = (text) => make("span", { class: "sign" }, text);
/** The slopes of what squashes, as text and as numbers, from the result. */
const SLOPES = {
  tanh: [(y) => `1 - ${y}²`, (y) => 1 - y * y],
  sigmoid: [(y) => `${y} ⊙ (1 - ${y})`, (y) => y * (1 - y)],
};

function equation() {
  const { phase, i } = events[position], node = nodes[i], parts = [];
  const join = (text) => { if (parts.length) parts.push(sign(text)); };
  if (phase === "forward") {
    for (const { label, shape, value } of node.operands.slice(0, 4).map((j) => nodes[j])) {
      join(",");
      parts.push(part("value", label, shape, value));
    }
    if (node.operands.length > 4) join("…");
    join("→");
    parts.push(part("value", node.label, node.shape, node.value));
  } else if (phase === "backward") {
    if (node.terms.length > 1 && node.terms.length <= 4) {
      const formulas = node.lines[0]?.derived.split(" + "), known = formulas?.length === node.terms.length;
      node.terms.forEach(({ from, value }, k) => {
        join("+");
        const label = known ? formulas[k] : from === null ? words.loss : words.from(nodes[from].label);
        parts.push(part("cotangent", label, node.shape, value));
      });
    } else if (node.users.length === 1 && node.users[0] !== null) {
      const user = nodes[node.users[0]], slope = SLOPES[user.op];
      parts.push(part("cotangent", `d${user.named ? user.label : `(${user.label})`}`, user.shape, user.cotangent));
      if (slope) {
        join("⊙");
        const label = user.named ? user.label : `(${user.label})`;
        parts.push(part("value", slope[0](label), user.shape, user.value.map(slope[1])));
      }
    }
    join(node.terms.length || SLOPES[nodes[node.users[0]]?.op] ? "=" : "→");
    parts.push(part("cotangent", `d${node.named ? node.label : `(${node.label})`}`, node.shape, node.cotangent));
  }
  by("equation").replaceChildren(...parts);
}

// ---- The numbers of a node ----

function showNumbers(i) {
  const node = nodes[i ?? PARAMETERS[0]];
  by("numbers-title").textContent = words.numbers(node.label);
  const [rows, width] = asMatrix(node.shape);
  const table = (caption, values, reached) => {
    const body = make("tbody");
    for (let r = 0; reached && r < rows; r++) {
      const row = Array.from(values.subarray(r * width, (r + 1) * width), (x) => make("td", {}, format(x)));
      body.append(make("tr", {}, ...row));
    }
    return make("table", {}, make("caption", {}, caption + (reached ? "" : ` (${words.notYet})`)), body);
  };
  const formula = node.named && node.formula ? `${node.label} = ${node.formula}; ` : "";
  const tables = [make("p", {}, `${formula}${node.op === "input" ? words.input_ : node.op}, ${words.shape(node.shape)}`),
    table(words.value, node.value, isGiven(node) || node.valuedAt <= position)];
  if (node.cotangent) tables.push(table(words.cotangent, node.cotangent, node.visitedAt <= position));
  by("numbers").replaceChildren(...tables);
}

// ---- Formulas ----

const nameOf = (line) => `${line.name} ${line.share === null ? "=" : "+="} `;
function makeLines() {
  by("lines").replaceChildren(...lines.map((line) => {
    line.row = make("tr", { class: line.equal ? "" : "unequal" }, make("td", { class: "sign" }, line.equal ? "=" : "≠"),
      make("td", {}, nameOf(line) + line.derived), make("td", {}, nameOf(line) + line.by_hand));
    return line.row;
  }));
}

// ---- The ledger ----

let entries = [];
function makeLedger() {
  const parameter = nodes[PARAMETERS[by("parameter").selectedIndex]];
  const shares = parameter.terms.length ? parameter.terms : [{ from: parameter.users[0], value: parameter.cotangent }];
  const most = Math.max(...shares.map(({ value }) => norm(value)));
  entries = shares.map(({ from, value }) => {
    const { step, visitedAt } = nodes[from], length = norm(value);
    const whole = make("i"), kept = make("i", { class: "kept" });
    whole.style.width = `${100 * length / most}%`;
    const row = make("tr", {}, make("th", { scope: "row" }, step), make("td", {}, make("div", { class: "bar" }, whole, kept)),
      make("td", {}, make("span", { class: "figure" }, format(length))),
      make("td", {}, make("span", { class: "figure" }, minus(cosine(value, parameter.cotangent).toFixed(3)))));
    return { row, step, visitedAt, most, kept };
  });
  by("ledger").replaceChildren(...entries.map(({ row }) => row));
  cut();
  entries.forEach(reach);
}
const reach = ({ row, visitedAt }) => row.classList.toggle("reached", visitedAt <= position);
function cut() {
  const which = by("parameter").selectedIndex, { window, gradients } = truncations[by("cut").value - 1];
  const { norms, error } = gradients[which];
  for (const { step, most, kept } of entries) kept.style.width = `${100 * norms[step] / most}%`;
  by("error").textContent = words.error(window, steps, nodes[PARAMETERS[which]].label, error);
}
