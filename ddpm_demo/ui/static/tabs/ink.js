// A drawing pad: white ink on black, by mouse, touch, pen or keys. It keeps its own picture, and sends that.
import { encodeBytes } from "../bytes.js";
import { contextOf, h, newId } from "../dom.js";
import { encodePng } from "../png.js";
import { makeRaster } from "../raster.js";
import { watchStrokes } from "../strokes.js";
import { say } from "../words.js";

const SIZE = 280,
  PEN = 22,
  KEY_STEP = 10;

/** What a data URL holds. */
export const base64Of = (/** @type {string} */ dataUrl) => dataUrl.slice(dataUrl.indexOf(",") + 1);

/**
 * `onDrawn` is called when the pen is lifted, `tell` told where keys move it.
 * @param {{onDrawn: () => void, tell: (text: string) => void}} options
 */
export function makeInk({ onDrawn, tell }) {
  const help = newId("pad");
  const canvas = h("canvas", {
    width: SIZE,
    height: SIZE,
    class: "ddpm-pad",
    tabindex: 0,
    role: "application",
    "aria-label": say("drawing pad"),
    "aria-describedby": help,
  });
  const raster = makeRaster(SIZE, PEN);
  /** @typedef {import("../strokes.js").Point} Point */
  /** @type {{by: object, from: Point, to: Point}[]} */
  let lines = [];
  let key = { x: SIZE / 2, y: SIZE / 4, down: false };

  /** Show a part of the picture: from left and top to right and bottom. */
  function show(left = 0, top = 0, right = SIZE, bottom = SIZE) {
    if (right <= left || bottom <= top) return;
    const context = contextOf(canvas),
      image = context.createImageData(right - left, bottom - top);
    const shown = new Uint32Array(image.data.buffer);
    for (let row = top, k = 0; row < bottom; row++)
      for (let col = left; col < right; col++, k++)
        shown[k] = 0xff000000 | (raster.pixels[row * SIZE + col] * 0x010101);
    context.putImageData(image, left, top);
  }
  function clear() {
    lines = [];
    redraw();
  }
  function redraw() {
    raster.clear();
    for (const { from, to } of lines) raster.line(from, to);
    show();
  }
  /**
   * @param {object} by the stroke
   * @param {Point} from
   * @param {Point} to
   */
  function line(by, from, to) {
    lines.push({ by, from, to });
    show(...raster.line(from, to));
  }
  const onPad = (/** @type {Point} */ { x, y }) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((x - box.left) / box.width) * SIZE, y: ((y - box.top) / box.height) * SIZE };
  };
  watchStrokes(canvas, {
    draw: (stroke, from, to) => line(stroke, onPad(from), onPad(to)),
    drop: (stroke) => {
      lines = lines.filter(({ by }) => by !== stroke);
      redraw();
    },
    end: onDrawn,
  });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const inside = (/** @type {number} */ value) => Math.min(SIZE - PEN, Math.max(PEN, value));
    const next = by ? { x: inside(key.x + by[0] * KEY_STEP), y: inside(key.y + by[1] * KEY_STEP) } : key;
    const lifted = key.down && !by,
      down = by ? key.down : !key.down;
    if (key.down || down) line(canvas, key, next);
    key = { ...next, down };
    const place = { x: Math.round(key.x / KEY_STEP), y: Math.round(key.y / KEY_STEP) };
    tell(down ? say("pen down at {x}, {y} of 28", place) : say("pen up at {x}, {y} of 28", place));
    if (lifted) onDrawn();
  });
  clear();
  return {
    canvas,
    /**
     * The pad with the words that tell how to draw, and what belongs beside it.
     * @param {string} what a sentence: what to draw, and with what
     * @param {HTMLElement[]} more
     */
    row: (what, ...more) =>
      h(
        "div",
        { class: "ddpm-row ddpm-pad-row" },
        canvas,
        h(
          "div",
          {},
          h(
            "p",
            { id: help, class: "ddpm-help" },
            what,
            " ",
            say("With the keyboard: arrows move, space puts the pen down and lifts it."),
          ),
          ...more,
        ),
      ),
    clear,
    inked: () => lines.length > 0,
    pixels: raster.pixels,
    size: SIZE,
    /** The picture as a PNG file, in base64. */
    file: async () => encodeBytes(await encodePng(raster.pixels, SIZE, SIZE)),
  };
}
