// A brush that wipes pixels out of a picture of 28x28: with mouse, finger, pen or keys.
import { h, newId } from "../dom.js";
import { placeMarker } from "../pointing.js";
import { watchStrokes } from "../strokes.js";
import { say } from "../words.js";

const SIDE = 28;
const REACH = 5; // pixels squared: the brush is five wide, without its corners
/** @type {Record<string, string>} what a mask wipes out, by its name in measuring/completion.py */
export const MASKS = {
  "lower half": say("lower half"),
  "upper half": say("upper half"),
  "right half": say("right half"),
  "left half": say("left half"),
  quarter: say("quarter"),
  "every second column": say("every second column"),
};
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * `known()` is the mask, 784 of 1 (known) or 0 (wiped out); `onWipe` gets it anew after each stroke's part.
 * @param {{known: () => Uint8Array, onWipe: (known: Uint8Array) => void}} options
 */
export function makeWiper({ known, onWipe }) {
  const help = newId("wiper");
  const canvas = h("canvas", {
    width: SIDE,
    height: SIDE,
    class: "ddpm-pixels ddpm-wiper",
    tabindex: 0,
    role: "application",
    "data-name": "given",
    "aria-describedby": help,
  });
  const marker = h("span", { class: "ddpm-marker", hidden: true });
  /** @typedef {import("../pointing.js").Place} Place */
  /** @type {{by: object, from: Place, to: Place}[]} */
  let lines = []; // of the strokes since the last time that none was under way
  let before = known(); // as it was then
  let spot = { row: SIDE / 2, col: SIDE / 2 }; // of the keys

  /**
   * Wipe along the line between two places, in pixels.
   * @param {Uint8Array} next
   * @param {Place} from
   * @param {Place} to
   */
  function wipe(next, from, to) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.row - from.row, to.col - from.col)));
    for (let k = 0; k <= steps; k++) {
      const middle = {
        row: from.row + ((to.row - from.row) * k) / steps,
        col: from.col + ((to.col - from.col) * k) / steps,
      };
      for (let i = 0; i < next.length; i++) {
        if ((Math.floor(i / SIDE) - middle.row) ** 2 + ((i % SIDE) - middle.col) ** 2 <= REACH) next[i] = 0;
      }
    }
    return next;
  }
  const at = (/** @type {import("../strokes.js").Point} */ { x, y }) => {
    const box = canvas.getBoundingClientRect();
    return { row: ((y - box.top) / box.height) * SIDE - 0.5, col: ((x - box.left) / box.width) * SIDE - 0.5 };
  };
  const strokes = watchStrokes(canvas, {
    draw: (stroke, from, to) => {
      if (!lines.length) before = known();
      marker.hidden = true;
      const line = { by: stroke, from: at(from), to: at(to) };
      lines.push(line);
      onWipe(wipe(known().slice(), line.from, line.to));
    },
    drop: (stroke) => {
      lines = lines.filter(({ by }) => by !== stroke);
      const next = before.slice();
      for (const { from, to } of lines) wipe(next, from, to);
      onWipe(next);
      if (!strokes.busy()) lines = [];
    },
    end: () => {
      if (!strokes.busy()) lines = [];
    },
  });
  canvas.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const inside = (place) => Math.min(SIDE - 1, Math.max(0, place));
    if (by) spot = { row: inside(spot.row + by[0]), col: inside(spot.col + by[1]) };
    else onWipe(wipe(known().slice(), spot, spot));
    placeMarker(marker, spot, SIDE);
  });
  return {
    canvas,
    element: h("div", { class: "ddpm-frame" }, canvas, marker),
    help: h(
      "p",
      { id: help, class: "ddpm-help" },
      say(
        "Wipe with mouse, finger or pen. With the keyboard: focus the picture, arrows move, space wipes. Wiped pixels are orange.",
      ),
    ),
  };
}
