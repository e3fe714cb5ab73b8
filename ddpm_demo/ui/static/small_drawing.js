// A small drawing beside a sentence: a curve or two, bars, or the pixels of a small grid.

/**
 * Heights from 0 to 1 as lines or bars, or the pixels of a small grid.
 * @typedef {{lines?: number[][], bars?: number[], size?: number, dots?: number[][]}} Drawing
 */

const WIDE = 100,
  HIGH = 44;
const SVG = "http://www.w3.org/2000/svg";

/** @param {Drawing} drawing */
export function smallDrawing({ lines = [], bars = [], size = 0, dots = [] }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", size ? `0 0 ${size} ${size}` : `0 -2 ${WIDE} ${HIGH + 4}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", size ? "ddpm-drawing ddpm-drawing-grid" : "ddpm-drawing ddpm-drawing-curve");
  const add = (/** @type {string} */ tag, /** @type {Record<string, string | number>} */ attributes) => {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
    svg.append(shape);
  };
  lines.forEach((line, k) =>
    add("polyline", {
      points: line.map((y, i) => `${(WIDE * i) / (line.length - 1)},${HIGH * (1 - y)}`).join(" "),
      ...(k ? { "stroke-dasharray": "5 3" } : {}),
    }),
  );
  bars.forEach((bar, k) => {
    const width = WIDE / bars.length;
    add("rect", { x: k * width, y: HIGH * (1 - bar), width: width - 1, height: HIGH * bar });
  });
  for (let k = 0; k < size * size; k++)
    add("rect", { x: k % size, y: Math.floor(k / size), width: 0.9, height: 0.9, class: "ddpm-drawing-blank" });
  for (const [row, column] of dots) add("rect", { x: column, y: row, width: 0.9, height: 0.9 });
  return svg;
}
