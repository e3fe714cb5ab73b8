// A digit of the student's own, drawn on the pad: scaled into 20x20 and placed by its centre of mass in 28x28, as
// MNIST's were (LeCun et al. 1998). The app reads photographs, too; here there is only white ink on black.
import { button, h } from "../dom.js";
import { encodeBytes } from "../bytes.js";
import { makeInk } from "../tabs/ink.js";
import { say } from "../words.js";
import { toX0 } from "./digits.js";

const BOX = 20,
  SIZE = 28,
  FAINT = 0.1; // of the darkest ink

/** @typedef {{values: Float64Array, width: number, height: number}} Picture */

/**
 * The part of a picture that holds all ink; null if there is none.
 * @param {Picture} picture values 0 to 1
 * @returns {Picture | null}
 */
function cropped({ values, width, height }) {
  let top = height,
    bottom = -1,
    left = width,
    right = -1;
  values.forEach((value, i) => {
    if (value <= FAINT) return;
    const row = Math.floor(i / width),
      col = i % width;
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
    left = Math.min(left, col);
    right = Math.max(right, col);
  });
  if (bottom < 0) return null;
  const wide = right - left + 1,
    high = bottom - top + 1;
  const part = Float64Array.from(
    { length: wide * high },
    (_, i) => values[(top + Math.floor(i / wide)) * width + left + (i % wide)],
  );
  return { values: part, width: wide, height: high };
}

/**
 * How much each of `from` pixels counts for each of `to` that are laid over them: those whose middle lies in it, the
 * weights of PIL's box filter.
 * @param {number} from
 * @param {number} to
 */
function boxWeights(from, to) {
  const scale = from / to,
    reach = Math.max(1, scale) / 2;
  return Array.from({ length: to }, (_, k) => {
    const middle = (k + 0.5) * scale,
      first = Math.max(0, Math.trunc(middle - reach + 0.5)),
      end = Math.min(from, Math.trunc(middle + reach + 0.5));
    const weights = Array.from({ length: end - first }, (_, j) => {
      const place = (first + j - middle + 0.5) / Math.max(1, scale);
      return place > -0.5 && place <= 0.5 ? 1 : 0;
    });
    const sum = weights.reduce((/** @type {number} */ all, weight) => all + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
function resized(picture, width, height) {
  const across = boxWeights(picture.width, width),
    down = boxWeights(picture.height, height);
  const values = new Float64Array(width * height);
  down.forEach((row, y) =>
    across.forEach((col, x) => {
      let sum = 0;
      row.weights.forEach((weight, j) => {
        const at = (row.first + j) * picture.width + col.first;
        col.weights.forEach((each, i) => {
          sum += weight * each * picture.values[at + i];
        });
      });
      values[y * width + x] = sum;
    }),
  );
  return { values, width, height };
}

/**
 * A drawing of grey levels as a digit, uint8 (28, 28); null if nothing is drawn (`digit_from_ink` in drawings/drawing.py).
 * @param {Uint8Array} grey
 * @param {number} size of the drawing, which is square
 */
export function digitFromInk(grey, size) {
  const ink = cropped({ values: Float64Array.from(grey, (level) => level / 255), width: size, height: size });
  if (!ink) return null;
  const scale = BOX / Math.max(ink.width, ink.height);
  const length = (/** @type {number} */ side) => Math.max(1, Math.round(side * scale));
  const small = resized(ink, length(ink.width), length(ink.height));
  const most = Math.max(...small.values);
  let sum = 0,
    rows = 0,
    cols = 0;
  small.values.forEach((value, i) => {
    sum += value;
    rows += value * Math.floor(i / small.width);
    cols += value * (i % small.width);
  });
  const place = (/** @type {number} */ centre, /** @type {number} */ side) =>
    Math.min(SIZE - side, Math.max(0, Math.round(SIZE / 2 - centre))); // MNIST counts pixel 14 as the middle
  const top = place(rows / sum, small.height),
    left = place(cols / sum, small.width);
  const digit = new Uint8Array(SIZE * SIZE);
  small.values.forEach((value, i) => {
    digit[(top + Math.floor(i / small.width)) * SIZE + left + (i % small.width)] = Math.round((255 * value) / most);
  });
  return digit;
}

/**
 * The pad; `onDigit` gets what it makes of a drawing.
 * @param {(digit: import("../state.js").Digit) => void} onDigit
 */
export function makeOwnDigit(onDigit) {
  const words = h("p", { class: "ddpm-facts", role: "status" });
  const ink = makeInk({
    onDrawn: read,
    tell: (text) => {
      words.textContent = text;
    },
  });
  function read() {
    const digit = digitFromInk(ink.pixels, ink.size);
    if (!digit) return;
    words.textContent = say("Scaled into 20×20 and centred by its mass in 28×28, as MNIST's digits were.");
    onDigit({ x0: toX0(digit), name: say("a digit of your own"), link: ["pixels", encodeBytes(digit)] });
  }
  const clear = button(say("Clear the pad"), () => {
    ink.clear();
    words.textContent = "";
  });
  return h(
    "details",
    { class: "ddpm-details" },
    h("summary", {}, say("A digit of your own: draw it")),
    ink.row(say("Draw one digit with mouse, finger or pen."), clear, words),
  );
}
