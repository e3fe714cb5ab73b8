// Histograms of pixel values against the curve of N(0, 1).
import { colours, contextOf, h } from "../dom.js";
import { GREY } from "../palette.js";

const LOW = -4,
  HIGH = 4,
  BINS = 40,
  WIDTH = 480,
  HEIGHT = 180,
  FLOOR = 20;
const normal = (/** @type {number} */ x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/**
 * Density of values in each bin; whatever lies beyond the ends is counted in the last ones.
 * @param {Iterable<number> & {length: number}} values
 */
export function density(values) {
  const bins = new Float64Array(BINS);
  const each = BINS / (HIGH - LOW) / values.length;
  for (const value of values)
    bins[Math.min(BINS - 1, Math.max(0, Math.floor(((value - LOW) / (HIGH - LOW)) * BINS)))] += each;
  return bins;
}

/**
 * A mixture is grey; what is noise alone has the colour of noise.
 * @param {string} label
 * @param {{most?: number, colour?: string}} look the density at the top, where it is always the same, and the colour
 */
export function makeHistogram(label, { most, colour = GREY } = {}) {
  const canvas = h("canvas", {
    width: WIDTH,
    height: HEIGHT,
    role: "img",
    class: "ddpm-histogram",
    "aria-label": label,
  });
  const context = contextOf(canvas);
  const x = (/** @type {number} */ value) => ((value - LOW) / (HIGH - LOW)) * WIDTH;

  /** @param {Parameters<typeof density>[0]} values */
  function draw(values) {
    const { text, line } = colours(canvas);
    const bins = density(values);
    const top = most ?? Math.max(0.5, ...bins);
    const y = (/** @type {number} */ value) => (HEIGHT - FLOOR) * (1 - value / top);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.font = "14px system-ui, sans-serif";
    context.textAlign = "center";
    for (let value = LOW + 1; value < HIGH; value++) {
      context.fillStyle = line;
      context.fillRect(x(value), 0, 1, HEIGHT - FLOOR);
      context.fillStyle = text;
      context.fillText(String(value).replace("-", "−"), x(value), HEIGHT - 5);
    }
    context.fillStyle = colour;
    context.globalAlpha = 0.7;
    bins.forEach((value, i) =>
      context.fillRect((i * WIDTH) / BINS, y(value), WIDTH / BINS - 1, HEIGHT - FLOOR - y(value)),
    );
    context.globalAlpha = 1;
    context.strokeStyle = text;
    context.lineWidth = 2;
    context.beginPath();
    for (let px = 0; px <= WIDTH; px += 4) context.lineTo(px, y(normal(LOW + (px / WIDTH) * (HIGH - LOW))));
    context.stroke();
  }
  return { element: canvas, draw };
}
