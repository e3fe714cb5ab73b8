// Choosing one pixel of a square picture, with the pointer or the arrow keys, and the mark that shows which.

/** @typedef {{row: number, col: number}} Place of a pixel */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Let a student choose a pixel of a canvas that shows `size` x `size` of them.
 * @param {HTMLCanvasElement} canvas it must be able to take the focus
 * @param {{size: number, current: () => Place | null, hover?: boolean, onPick: (place: Place) => void}} options
 *   The arrows start from `current()`, or from the middle while it is null; with `hover` pointing is choosing.
 */
export function makePointable(canvas, { size, current, onPick, hover = false }) {
  const inside = (/** @type {number} */ place) => Math.min(size - 1, Math.max(0, place));
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const place = (/** @type {number} */ offset, /** @type {number} */ length) =>
      inside(Math.floor((offset / length) * size));
    onPick({ row: place(event.clientY - box.top, box.height), col: place(event.clientX - box.left, box.width) });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 0) at(event);
  });
  if (hover) canvas.addEventListener("pointermove", at);
  canvas.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by) return;
    event.preventDefault();
    const { row, col } = current() ?? { row: size / 2, col: size / 2 };
    onPick({ row: inside(row + by[0]), col: inside(col + by[1]) });
  });
}

/**
 * Show a marker on the pixel at a place.
 * @param {HTMLElement} marker
 * @param {Place} place
 * @param {number} size
 */
export function placeMarker(marker, { row, col }, size) {
  marker.hidden = false;
  marker.style.left = `${(100 * col) / size}%`;
  marker.style.top = `${(100 * row) / size}%`;
}
