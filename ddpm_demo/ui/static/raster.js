// A picture of grey levels that the page draws by itself: what a canvas shows, some browsers do not give back.

/** @typedef {import("./strokes.js").Point} Point */

/**
 * A square picture of `size` pixels a side, black, for lines of `width` pixels with round ends.
 * @param {number} size
 * @param {number} width
 */
export function makeRaster(size, width) {
  const pixels = new Uint8Array(size * size);
  const reach = width / 2 + 1;
  const inside = (/** @type {number} */ place) => Math.min(size, Math.max(0, place));

  /**
   * Draw a line, its edge smoothed over one pixel; where lines cross, the brighter counts. Returns the box that it lies
   * in: left, top, right, bottom, the last two not included.
   * @param {Point} from
   * @param {Point} to
   * @returns {[number, number, number, number]}
   */
  function line(from, to) {
    const across = to.x - from.x,
      down = to.y - from.y,
      squared = across * across + down * down;
    const left = inside(Math.floor(Math.min(from.x, to.x) - reach)),
      right = inside(Math.ceil(Math.max(from.x, to.x) + reach)),
      top = inside(Math.floor(Math.min(from.y, to.y) - reach)),
      bottom = inside(Math.ceil(Math.max(from.y, to.y) + reach));
    for (let row = top; row < bottom; row++) {
      for (let col = left; col < right; col++) {
        const x = col + 0.5 - from.x,
          y = row + 0.5 - from.y;
        const share = squared ? Math.min(1, Math.max(0, (x * across + y * down) / squared)) : 0;
        const covered = width / 2 + 0.5 - Math.hypot(x - share * across, y - share * down);
        const level = Math.round(255 * Math.min(1, Math.max(0, covered)));
        if (level > pixels[row * size + col]) pixels[row * size + col] = level;
      }
    }
    return [left, top, right, bottom];
  }
  return { pixels, line, clear: () => pixels.fill(0) };
}
