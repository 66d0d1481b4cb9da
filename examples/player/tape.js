// The recording, and the events of its two sweeps.

const by = (id) => document.getElementById(id);
const read = (id) => JSON.parse(by(id).textContent);
const numbersOf = (text) => text && new Float64Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

/** Makes an element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "text", "rect"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const tape = read("recording"), truncations = read("truncations"), vanishing = read("vanishing");
const { nodes, lines, steps } = tape;
for (const node of nodes) {
  node.value = numbersOf(node.value);
  node.cotangent = numbersOf(node.cotangent);
  for (const term of node.terms) term.value = numbersOf(term.value);
  node.lines = [];
}
for (const { gradients } of truncations) for (const gradient of gradients) gradient.norms = numbersOf(gradient.norms);
lines.forEach((line) => nodes[line.at].lines.push(line));
const isGiven = (node) => node.op === "input" && node.step === null; // there before the first event
const PARAMETERS = ["Wh", "Wx", "b"].map((label) => nodes.findIndex((node) => node.label === label));

/** What happens, in order: each node gets its value, then in reverse its cotangent. */
const events = [{ phase: "start" }];
nodes.forEach((node, i) => { if (!isGiven(node)) node.valuedAt = events.push({ phase: "forward", i }) - 1; });
for (const i of tape.sweep) nodes[i].visitedAt = events.push({ phase: "backward", i }) - 1;
const culprit = tape.sweep.find((i) => nodes[i].difference !== undefined);

const largest = (of) => Math.max(...nodes.map((node) => (of(node) || []).reduce((m, x) => Math.max(m, Math.abs(x)), 0)));
const SCALE = { value: largest((node) => node.value), cotangent: largest((node) => node.cotangent) };

let position = 0, selected = null, firstColumn = 0, language = "en", words = WORDS.en;

const minus = (text) => text.replace("-", "−");
const format = (x) => minus(x === 0 ? "0" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4 ? x.toFixed(4) : x.toExponential(2));
const norm = (v) => Math.hypot(...v);
const cosine = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0) / (norm(a) * norm(b));
