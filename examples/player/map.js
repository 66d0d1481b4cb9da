// Heat maps: a cell for each number, blue above 0, orange and struck through below.

const WIDEST = 64; // columns; beyond, means of neighbours
/** Rows and columns: a vector is one row, the time steps of a sequence lie side by side. */
function asMatrix(shape) {
  const rows = shape.length > 1 ? shape[0] : 1;
  return [rows, shape.reduce((a, b) => a * b, 1) / rows];
}
const meanOf = (columns) => Math.ceil(columns / WIDEST);

function map(kind, shape, values, room = 120) {
  const [rows, columns] = asMatrix(shape), k = meanOf(columns), shown = Math.ceil(columns / k);
  const size = Math.max(2, Math.min(11, Math.floor(room / shown) - 1)), isWide = size > 4;
  const element = make("span", { class: `map ${kind}${isWide ? " wide" : ""}` });
  element.style.gridTemplateColumns = `repeat(${shown}, ${size}px)`;
  element.style.setProperty("--size", size + "px");
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < shown; column++) {
      const block = values.subarray(row * columns + column * k, row * columns + Math.min((column + 1) * k, columns));
      const x = block.reduce((sum, v) => sum + v, 0) / block.length, share = Math.abs(x) / SCALE[kind];
      const cell = make("i", x < 0 ? { class: "less" } : {});
      cell.style.setProperty("--linear", share.toFixed(4));
      cell.style.setProperty("--log", share > 0 ? Math.max(0, 1 + Math.log10(share) / 4).toFixed(4) : 0);
      element.append(cell);
    }
  }
  return element;
}

function legend(kind, name) {
  const span = by(`${kind}-legend`), logarithmic = by("logarithmic").checked;
  const shares = logarithmic ? [-1, -1e-2, -1e-4, 1e-4, 1e-2, 1] : [-1, -0.5, 0, 0.5, 1];
  const swatches = map(kind, [shares.length], Float64Array.from(shares, (share) => share * SCALE[kind]));
  const end = (share) => minus((share * SCALE[kind]).toPrecision(2));
  span.replaceChildren(`${name} ${end(-1)} `, swatches, ` ${end(1)}`);
}
