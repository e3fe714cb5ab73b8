// The canvas of a drawing pad: white ink on black, by mouse, touch, pen or keys.
import { contextOf, h } from "../dom.js";

const SIZE = 280,
  PEN = 22,
  KEY_STEP = 10;

/** What a data URL holds. */
export const base64Of = (/** @type {string} */ dataUrl) => dataUrl.slice(dataUrl.indexOf(",") + 1);

/**
 * `help` is the id of the words that tell how to draw; `onDrawn` is called when the pen is lifted, `say` told where keys move it.
 * @param {{help: string, onDrawn: () => void, say: (text: string) => void}} options
 */
export function makeInk({ help, onDrawn, say }) {
  const canvas = h("canvas", {
    width: SIZE,
    height: SIZE,
    class: "ddpm-pad",
    tabindex: 0,
    role: "application",
    "aria-label": "drawing pad",
    "aria-describedby": help,
  });
  const context = contextOf(canvas);
  /** @typedef {{x: number, y: number}} Point */
  /** @type {Point | null} */
  let last = null; // where the pen is while it draws
  let key = { x: SIZE / 2, y: SIZE / 4, down: false };
  let inked = false;

  function clear() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    inked = false;
  }
  /**
   * @param {Point} from
   * @param {Point} to
   */
  function line(from, to) {
    inked = true;
    Object.assign(context, { strokeStyle: "#fff", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * SIZE, y: ((event.clientY - box.top) / box.height) * SIZE };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const first = (last = at(event));
    line(first, first);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const next = at(part);
      line(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (last) {
        last = null;
        onDrawn();
      }
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const inside = (value) => Math.min(SIZE - PEN, Math.max(PEN, value));
    const next = by ? { x: inside(key.x + by[0] * KEY_STEP), y: inside(key.y + by[1] * KEY_STEP) } : key;
    const lifted = key.down && !by,
      down = by ? key.down : !key.down;
    if (key.down || down) line(key, next);
    key = { ...next, down };
    say(`pen ${down ? "down" : "up"} at ${Math.round(key.x / KEY_STEP)}, ${Math.round(key.y / KEY_STEP)} of 28`);
    if (lifted) onDrawn();
  });
  clear();
  return { canvas, clear, inked: () => inked, file: () => base64Of(canvas.toDataURL("image/png")) };
}
