// The position on the tape, and all that moves it.

// ---- The status sentence ----

function sentence() {
  const { phase, i } = events[position], node = nodes[i];
  if (phase === "start") return words.start;
  if (phase === "forward" && node.op === "input") return words.forward + words.isRead(node.label);
  if (phase === "forward") return `${words.forward}${node.named ? `${node.label} = ` : ""}${node.formula}.`;
  const hiding = by("hide").checked;
  const say = ({ share, name, derived }) => share === null ? `${name} = ${derived}.` : words.added(derived, name);
  const said = node.lines.map(say), hasLine = node.lines.some((line) => line.share === null);
  if (PARAMETERS.includes(i)) said.push(words.complete(`d${node.label}`, node.users.length));
  else if (node.users.includes(null) && !hasLine) said.unshift(words.given(node.label));
  else if (!node.named) said.unshift(words.passes(node.label, node.users.map((user) => nodes[user].label).join(", ")));
  if (!hiding && node.lines.some((line) => !line.equal)) said.push(words.slip);
  if (!hiding && i === culprit) said.push(words.culprit);
  else if (!hiding && node.difference !== undefined) said.push(words.poisoned);
  return words.backward + said.join(" ");
}

// ---- The position ----

function go(to) {
  to = Math.max(0, Math.min(events.length - 1, Math.round(to) || 0));
  const [low, high] = [Math.min(position, to), Math.max(position, to)];
  unlight();
  position = to;
  for (let k = low; k <= high; k++) if (events[k].i !== undefined) {
    const node = nodes[events[k].i];
    paint(node);
    for (const line of node.lines) line.row.classList.toggle("done", node.visitedAt <= position);
  }
  entries.forEach(reach);
  light();
  by("at").value = position;
  by("at").setAttribute("aria-valuetext", `${position} / ${events.length - 1}`);
  by("position").textContent = `${position} / ${events.length - 1}`;
  keepAddress();
}
const current = () => nodes[events[position].i];
function unlight() {
  current()?.element?.classList.remove("now");
  columns[current()?.step]?.classList.remove("now");
  current()?.lines.forEach((line) => line.row.classList.remove("now"));
}
function light() {
  const node = current();
  showColumns(node ? node.step : 0);
  node?.element?.classList.add("now");
  columns[node?.step]?.classList.add("now");
  lightEdges();
  equation();
  by("status").textContent = sentence();
  showNumbers(selected ?? events[position].i);
  if (node && events[position].phase === "backward" && node.lines.length) {
    for (const line of node.lines) line.row.classList.add("now");
    const pane = by("formulas"), row = node.lines[0].row;
    pane.scrollTop = row.offsetTop - pane.clientHeight / 2;
    const entry = entries.find(({ visitedAt }) => visitedAt === position);
    if (entry) by("entries").scrollTop = entry.row.offsetTop - by("entries").clientHeight / 2;
  }
}

let addressTimer = 0;
function keepAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, "", `#at=${position}&lang=${language}`), 150);
}
const address = () => new URLSearchParams(location.hash.slice(1));

let playing = 0;
function play(start) {
  clearInterval(playing);
  const last = events.length - 1;
  const tick = () => { go(position + 1); if (position === last) play(false); };
  playing = start && position < last ? setInterval(tick, 500) : 0; // ms
  by("play").setAttribute("aria-pressed", String(Boolean(playing)));
}

// ---- Words ----

function speak(to) {
  language = to in WORDS ? to : "en";
  words = WORDS[language];
  document.documentElement.lang = language;
  document.title = `${words.title} (${tape.cell.toUpperCase()})`;
  by("language").value = language;
  for (const element of document.querySelectorAll("[data-words]")) element.textContent = words[element.dataset.words];
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words[element.dataset.label]);
  }
  by("about").textContent = words.about(tape);
  const means = Math.max(...nodes.map((node) => meanOf(asMatrix(node.shape)[1])));
  by("means").textContent = means > 1 ? words.means(means) : "";
  columns.forEach((element, t) => {
    element.setAttribute("aria-label", words.stepTitle(t));
    element.firstChild.textContent = words.stepTitle(t);
  });
  nodes.forEach(paint);
  legends();
  verdict();
  cut();
  drawCurves();
}
const legends = () => ["value", "cotangent"].forEach((kind) => legend(kind, words[kind + "s"]));
function verdict() {
  const hiding = by("hide").checked, equal = lines.filter((line) => line.equal).length;
  document.body.classList.toggle("hiding", hiding);
  by("verdict").textContent = hiding ? words.hidden
    : (tape.fault ? words.fault(FAULTS[language][tape.fault]) + " " : "") + words.verdict(equal, lines.length);
}

// ---- Beginning ----

function keys(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const node = target.closest?.(".node");
  if (node && moveFocus(node, key)) return event.preventDefault();
  const isRange = target.type === "range" && target !== by("at");
  if (isRange || target.tagName === "SELECT") return;
  const scrolls = ["formulas", "entries", "numbers"].includes(target.id) && key.startsWith("Arrow");
  if (scrolls) return;
  const [back, on] = [position - 1, position + 1];
  const moves = { ArrowRight: on, ArrowDown: on, ArrowLeft: back, ArrowUp: back, Home: 0, End: events.length - 1 };
  if (key in moves) { play(false); go(moves[key]); event.preventDefault(); }
  else if (key === " " && target.tagName !== "BUTTON" && target.type !== "checkbox") {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) go(position + 1); else play(!playing);
    event.preventDefault();
  }
}
/** The keys within the picture: up and down a column, to the same row of the next, Enter plays up to the node. */
function moveFocus(element, key) {
  const node = nodes[Number(element.dataset.node)];
  if (key === "Enter" || key === " ") {
    // Forwards up to its value; once that is there, on to its cotangent; from there back to its value.
    const ahead = position < node.valuedAt || node.visitedAt === undefined || position >= node.visitedAt;
    go(ahead ? node.valuedAt ?? node.visitedAt : node.visitedAt);
    return true;
  }
  if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(key)) return false;
  const inLane = node.step === null, forward = key === "ArrowDown" || key === "ArrowRight";
  const sibling = forward ? element.nextElementSibling : element.previousElementSibling;
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  let next = sibling;
  if (!vertical && !inLane) {
    const t = node.step + (forward ? 1 : -1), row = [...element.parentNode.children].indexOf(element);
    if (t < 0 || t >= steps) return true;
    showColumns(t);
    next = column(t).children[row];
  } else if (vertical && inLane) {
    next = forward ? null : columns[firstColumn].lastElementChild;
  } else if (vertical && !sibling) {
    next = by("lane").firstElementChild;
  }
  if (next?.matches(".node")) {
    rove(next);
    next.focus();
  }
  return true;
}
let roving = null;
/** Makes an element the one of the picture that Tab comes to. */
function rove(element) {
  roving?.setAttribute("tabindex", -1);
  roving = element;
  roving.setAttribute("tabindex", 0);
}

function begin() {
  by("at").max = events.length - 1;
  by("gain").max = vanishing.gains.length - 1;
  by("input").max = vanishing.inputs.length - 1;
  by("gain").value = vanishing.gains.indexOf(1);
  by("input").value = vanishing.inputs.indexOf(1);
  by("cut").max = by("cut").value = steps;
  by("answers").hidden = !tape.fault;
  by("parameter").append(...PARAMETERS.map((i) => make("option", {}, `d${nodes[i].label}`)));
  position = Math.max(0, Math.min(events.length - 1, Number(address().get("at")) || 0));
  const asked = address().get("lang") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
  words = WORDS[asked] ?? WORDS.en;
  nodes.forEach((node, i) => { if (node.step === null) by("lane").append(makeNode(i)); });
  makeLines();
  makeLedger();
  speak(asked);
  countColumns();
  showColumns(0, true);
  rove(columns[0].querySelector(".node"));
  lines.forEach((line) => line.row.classList.toggle("done", nodes[line.at].visitedAt <= position));
  go(position);

  by("at").addEventListener("input", () => { play(false); go(Number(by("at").value)); });
  const buttons = { first: () => 0, back: () => position - 1, on: () => position + 1, last: () => events.length - 1 };
  for (const [id, to] of Object.entries(buttons)) by(id).addEventListener("click", () => { play(false); go(to()); });
  by("play").addEventListener("click", () => play(!playing));
  by("language").addEventListener("change", () => { speak(by("language").value); go(position); });
  by("logarithmic").addEventListener("change", () => {
    document.body.classList.toggle("log", by("logarithmic").checked);
    legends();
  });
  by("hide").addEventListener("change", () => { verdict(); go(position); });
  by("parameter").addEventListener("change", makeLedger);
  by("cut").addEventListener("input", cut);
  for (const id of ["gain", "input"]) by(id).addEventListener("input", drawCurves);
  const select = (event) => {
    const element = event.target.closest?.(".node");
    const i = element ? Number(element.dataset.node) : null;
    if (i !== selected) { selected = i; showNumbers(selected ?? events[position].i); }
  };
  by("picture").addEventListener("mouseover", select);
  by("picture").addEventListener("mouseleave", select);
  by("picture").addEventListener("focusin", (event) => {
    select(event);
    if (event.target.matches(".node")) rove(event.target);
  });
  by("picture").addEventListener("focusout", () => { selected = null; });
  by("picture").addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (node) moveFocus(node, "Enter");
  });
  document.addEventListener("keydown", keys);
  addEventListener("hashchange", () => { if (address().get("at")) go(Number(address().get("at"))); });
  addEventListener("resize", () => {
    countColumns();
    showColumns(current()?.step ?? 0, true);
    light();
  });
  addEventListener("beforeprint", () => { for (let t = 0; t < steps; t++) column(t); });
  addEventListener("afterprint", () => showColumns(current()?.step ?? 0, true));
}
begin();
