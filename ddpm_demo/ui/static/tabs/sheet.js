// What was read of a picture, beside it: a box to move over the picture, and a threshold to drag.
import { decodeBytes } from "../bytes.js";
import { button, h, newId, settled } from "../dom.js";
import { paintGrid } from "../paint.js";
import { watchStrokes } from "../strokes.js";
import { say } from "../words.js";

const STEP = 0.02,
  LEAST = 0.04; // of the picture: what an arrow moves, and how small a box may be
/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const within = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, value));

/**
 * `read` asks the server again, about `{file, box, threshold}`; `use` gets an answer whose question was dismissed.
 * @param {{read: (question: {file: string, box: number[], threshold: number}) => void,
 *          use: (answer: Record<string, any>) => void}} options
 */
export function makeSheet({ read, use }) {
  /** @type {Record<string, any>} */
  let answer = {};
  let box = [0, 0, 1, 1];
  const help = newId("sheet"),
    threshold = newId("threshold");
  const picture = h("img", { alt: say("the picture that was read, in grey"), draggable: "false" });
  const corners = ["ddpm-sheet-corner ddpm-first", "ddpm-sheet-corner"].map((name) => h("span", { class: name }));
  const frame = h(
    "div",
    {
      class: "ddpm-sheet-box",
      tabindex: 0,
      role: "group",
      "aria-roledescription": say("movable box"),
      "aria-describedby": help,
    },
    ...corners,
  );
  const digit = h("canvas", {
    width: 28,
    height: 28,
    class: "ddpm-pixels",
    role: "img",
    "aria-label": say("what was read, 28 by 28 pixels"),
  });
  const slider = h("input", { type: "range", min: 1, max: 99, id: threshold, oninput: changed });
  const value = h("output", { class: "ddpm-value", for: threshold, "aria-live": "off" });
  const anyway = button(say("Use it anyway"), () => use(answer));
  const element = h(
    "div",
    { class: "ddpm-sheet", hidden: true },
    h("figure", { class: "ddpm-sheet-picture" }, picture, frame),
    h("figure", { class: "ddpm-sheet-read" }, digit, h("figcaption", {}, say("what was read"))),
    h(
      "div",
      { class: "ddpm-sheet-threshold ddpm-slider" },
      h(
        "div",
        { class: "ddpm-slider-head" },
        h("label", { for: threshold }, say("Ink is where so much light is missing")),
        value,
      ),
      slider,
      h(
        "p",
        { id: help, class: "ddpm-help" },
        say(
          "Drag the box over the digit, or a corner to resize it. With the keyboard: arrows move it, with Shift they move its lower right corner.",
        ),
      ),
      anyway,
    ),
  );

  function place() {
    const [left, top, right, bottom] = box.map((share) => 100 * share);
    Object.assign(frame.style, {
      left: `${left}%`,
      top: `${top}%`,
      width: `${right - left}%`,
      height: `${bottom - top}%`,
    });
    frame.setAttribute(
      "aria-label",
      say("box round the digit: from {left:.0f}, {top:.0f} to {right:.0f}, {bottom:.0f} % of the picture", {
        left,
        top,
        right,
        bottom,
      }),
    );
    value.textContent = say("{percent} %", { percent: Number(slider.value) });
  }
  const again = settled(() => read({ file: answer.sheet, box, threshold: Number(slider.value) / 100 }));
  function changed() {
    place();
    again();
  }

  /**
   * Move the whole box (corner null), or its first or its last corner, from where it was.
   * @param {number[]} from
   * @param {number} across
   * @param {number} down
   * @param {number | null} corner
   */
  function shift(from, across, down, corner) {
    const [left, top, right, bottom] = from;
    if (corner === null) {
      const x = within(across, -left, 1 - right),
        y = within(down, -top, 1 - bottom);
      box = [left + x, top + y, right + x, bottom + y];
    } else if (corner === 0)
      box = [within(left + across, 0, right - LEAST), within(top + down, 0, bottom - LEAST), right, bottom];
    else box = [left, top, within(right + across, left + LEAST, 1), within(bottom + down, top + LEAST, 1)];
    changed();
  }
  let begun = box; // where the box was when the stroke that drags it began
  const drag = watchStrokes(frame, {
    alone: true,
    draw: ({ points, target }, from, to) => {
      if (points.length === 1) begun = box;
      if (from === to) return;
      const { width, height } = picture.getBoundingClientRect();
      const corner = corners.indexOf(/** @type {HTMLSpanElement} */ (target));
      shift(begun, (to.x - points[0].x) / width, (to.y - points[0].y) / height, corner < 0 ? null : corner);
    },
    drop: () => {
      box = begun;
      changed();
    },
  });
  frame.addEventListener("keydown", (event) => {
    const by = MOVES[event.key];
    if (!by) return;
    event.preventDefault();
    shift(box, STEP * by[0], STEP * by[1], event.shiftKey ? 1 : null);
  });

  /** @param {Record<string, any>} read */
  function show(read) {
    answer = read;
    picture.src = `data:image/png;base64,${read.sheet}`;
    if (!drag.busy()) box = [...read.box];
    slider.value = String(Math.round(100 * read.threshold));
    const pixels = read.link
      ? decodeBytes(read.link[1].replaceAll("-", "+").replaceAll("_", "/"))
      : new Uint8Array(784);
    paintGrid(digit, pixels, 1, 28, 0);
    anyway.hidden = !read.question || !read.x0;
    element.hidden = false;
    place();
  }
  return {
    element,
    show,
    hide: () => {
      element.hidden = true;
    },
  };
}
