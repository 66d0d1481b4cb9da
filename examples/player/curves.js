// The norm of the cotangent by step, for an RNN and an LSTM.

for (const curve of vanishing.curves) curve.norms = [...numbersOf(curve.norms)];

function drawCurves() {
  const gain = vanishing.gains[by("gain").value], input = vanishing.inputs[by("input").value];
  by("gain-value").textContent = gain;
  by("input-value").textContent = input;
  const [rnn, lstm] = vanishing.curves.filter((curve) => curve.gain === gain && curve.input === input);
  const floor = -12, ceiling = 6, x = (t) => 60 + (steps > 1 ? t / (steps - 1) : 0.5) * 480;
  const y = (v) => 200 - 190 * (Math.max(floor, Math.min(ceiling, Math.log10(v || 1e-99))) - floor) / (ceiling - floor);
  const parts = [];
  for (let power = floor; power <= ceiling; power += 3) {
    parts.push(make("line", { class: "grid", x1: 55, x2: 545, y1: y(10 ** power), y2: y(10 ** power) }),
      make("text", { x: 50, y: y(10 ** power) + 4, "text-anchor": "end" }, power === 0 ? "1" : minus(`1e${power}`)));
  }
  const ends = [rnn, lstm].map((curve) => y(curve.norms[0]));
  for (const [k, curve] of [rnn, lstm].entries()) {
    parts.push(make("path", { class: curve.cell, d: "M" + curve.norms.map((v, t) => `${x(t)} ${y(v)}`).join("L") + "h0" }),
      make("text", { x: 555, y: y(1) + (k ? 20 : -8) }, curve.cell.toUpperCase()),
      make("line", { class: curve.cell, x1: 615, x2: 655, y1: y(1) + (k ? 15 : -13), y2: y(1) + (k ? 15 : -13) }),
      make("text", { x: 555, y: k ? 286 : 244 }, `${curve.cell.toUpperCase()} ${words.saturated}`));
    const base = k ? 290 : 248, width = Math.max(2, Math.min(20, 480 / steps - 3));
    parts.push(make("line", { class: "axis", x1: 55, x2: 545, y1: base, y2: base }));
    curve.saturations.forEach((share, t) => {
      const height = 30 * share;
      parts.push(make("rect", { class: curve.cell, x: x(t) - width / 2, y: base - height, width, height }));
    });
  }
  for (const t of new Set([0, Math.floor((steps - 1) / 2), steps - 1])) {
    parts.push(make("text", { x: x(t), y: 216, "text-anchor": "middle" }, `t = ${t}`));
  }
  by("curves").replaceChildren(...parts);
  by("curve-text").textContent = words.curves(rnn.norms[0].toPrecision(2), lstm.norms[0].toPrecision(2));
}
