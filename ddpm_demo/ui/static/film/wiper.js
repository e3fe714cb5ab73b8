// A brush that wipes pixels out of a picture of 28x28: with mouse, finger, pen or keys.
import { h, newId } from "../dom.js";
import { placeMarker } from "../pointing.js";

const SIDE = 28;
const REACH = 5; // pixels squared: the brush is five wide, without its corners
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
  /** @type {import("../pointing.js").Place | null} */
  let last = null; // where the brush is while it wipes
  let spot = { row: SIDE / 2, col: SIDE / 2 }; // of the keys

  /** Wipe along the line between two places, in pixels. */
  function wipe(from, to) {
    const next = known().slice();
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
    onWipe(next);
  }
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return {
      row: ((event.clientY - box.top) / box.height) * SIDE - 0.5,
      col: ((event.clientX - box.left) / box.width) * SIDE - 0.5,
    };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    marker.hidden = true;
    const first = (last = at(event));
    wipe(first, first);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = at(event);
    wipe(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      last = null;
    });
  canvas.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const inside = (place) => Math.min(SIDE - 1, Math.max(0, place));
    if (by) spot = { row: inside(spot.row + by[0]), col: inside(spot.col + by[1]) };
    else wipe(spot, spot);
    placeMarker(marker, spot, SIDE);
  });
  return {
    canvas,
    element: h("div", { class: "ddpm-frame" }, canvas, marker),
    help: h(
      "p",
      { id: help, class: "ddpm-help" },
      "Wipe with mouse, finger or pen. With the keyboard: focus the picture, arrows move, space wipes. Wiped pixels are orange.",
    ),
  };
}
