// The one place that turns numbers into pixels.
import { contextOf } from "./dom.js";

/** @typedef {ArrayLike<number>} Numbers */

/** @type {WeakMap<HTMLCanvasElement, ImageData>} */
const images = new WeakMap();

/** The image that stands on a canvas, as it was painted; undefined if none was. */
export const imageOn = (/** @type {HTMLCanvasElement} */ canvas) => images.get(canvas);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
function put(canvas, image) {
  contextOf(canvas).putImageData(image, 0, 0);
  images.set(canvas, image);
  canvas.dataset.painted = "";
}

/**
 * Grey level 0..255 of a value; everything outside [low, high] is clipped.
 * @param {number} value
 */
export function grey(value, low = -1, high = 1) {
  const level = Math.round(((value - low) / (high - low)) * 255);
  return level < 0 ? 0 : level > 255 ? 255 : level;
}

/**
 * Paint a square picture of floats, one canvas pixel a value; CSS enlarges it crisply.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 */
export function paintFloats(canvas, values, low = -1, high = 1) {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = grey(values[i], low, high);
  paintGrid(canvas, bytes, 1, Math.sqrt(values.length), 0);
}

/**
 * Paint a plane of floats, row by row, as one picture.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 * @param {number} width
 * @param {number} height
 * @param {number} low
 * @param {number} high
 */
export function paintPlane(canvas, values, width, height, low, high) {
  canvas.width = width;
  canvas.height = height;
  const image = contextOf(canvas).createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (grey(values[i], low, high) * 0x010101);
  put(canvas, image);
}

const WIPED = 0xff005ed5; // alpha, blue, green, red: #D55E00, no level of grey

/**
 * Paint a square picture of floats from -1 to 1 where `known` is 1, and in orange where it is 0.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 * @param {Numbers} known
 */
export function paintKnown(canvas, values, known) {
  const image = contextOf(canvas).createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = known[i] ? 0xff000000 | (grey(values[i]) * 0x010101) : WIPED;
  put(canvas, image);
}

const GAP = 2; // between the pictures of a grid

/**
 * The grid of `count` square pictures of `size` pixels: nearly square, unless told how many columns.
 * @param {number} count
 * @param {number} size
 */
export function gridOf(count, size, gap = GAP, columns = Math.ceil(Math.sqrt(count))) {
  const rows = Math.ceil(count / columns);
  return { columns, rows, width: columns * (size + gap) - gap, height: rows * (size + gap) - gap };
}

/**
 * Lay a marker over the k-th picture of such a grid.
 * @param {HTMLElement} marker
 * @param {number} k
 * @param {number} count
 * @param {number} size
 */
export function markInGrid(marker, k, count, size) {
  const { columns, width, height } = gridOf(count, size);
  marker.hidden = false;
  marker.style.left = `${(100 * (k % columns) * (size + GAP)) / width}%`;
  marker.style.top = `${(100 * Math.floor(k / columns) * (size + GAP)) / height}%`;
  marker.style.width = `${(100 * size) / width}%`;
  marker.style.height = `${(100 * size) / height}%`;
}

/**
 * Paint `count` square pictures of `size` pixels from consecutive grey bytes, as such a grid.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} bytes
 * @param {number} count
 * @param {number} size
 * @param {number} [gap]
 * @param {number} [wanted] columns
 */
export function paintGrid(canvas, bytes, count, size, gap = GAP, wanted = undefined) {
  const { columns, width, height } = gridOf(count, size, gap, wanted);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = contextOf(canvas).createImageData(width, height); // transparent where nothing is painted
  const pixels = new Uint32Array(image.data.buffer); // one number a pixel: alpha, blue, green, red
  for (let k = 0; k < count; k++) {
    const left = (k % columns) * (size + gap);
    const top = Math.floor(k / columns) * (size + gap);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        pixels[(top + y) * width + left + x] = 0xff000000 | (bytes[(k * size + y) * size + x] * 0x010101);
      }
    }
  }
  put(canvas, image);
}
