// What a newcomer sees first: a row of digits that come out of noise, one sentence, and Start. Whoever has been here, or
// follows a link, sees the button alone.
import { say } from "../words.js";
import { placeIn } from "../component.js";
import { walkOnDevice } from "../device.js";
import { button, h, reducedMotion } from "../dom.js";
import { greyLevels } from "../net/walk.js";
import { paintGrid } from "../paint.js";
import { planHere } from "./device_digits.js";

const KEY = "ddpm-been-here";
const ROUNDS = 3; // of the loop: what moves for ever keeps the eye from the page
const FRAME = 100; // milliseconds
const HELD = 2500; // milliseconds that the finished digits stand
const SIZE = 28;

/** @type {import("../component.js").Mount} */
export function mount(element, props) {
  const { loop, film } = props.value;
  if (!film) return; // no network, nothing to say about one
  const start = button(say("Start"), open, {
    class: "ddpm-button ddpm-intro-start",
    title: say("three screens: how it works"),
  });
  const place = placeIn(element);
  /** @type {(() => void) | null} */
  let leave = null;

  async function open() {
    leave?.();
    const { openScreens } = await import("./screens.js");
    openScreens(place, film, () => start.focus());
  }
  place.replaceChildren(start);
  standBesideLessons(element);
  if (isNew() && !isLinked()) leave = welcome(place, start, loop);
}

/** Keep the button beside those of the lessons, however many there are and however large. */
function standBesideLessons(/** @type {HTMLElement} */ element) {
  const lessons = document.getElementById("lessons"),
    own = /** @type {HTMLElement | null} */ (element.closest("#intro"));
  if (!lessons || !own) return;
  new ResizeObserver(() => {
    own.style[document.documentElement.dir === "rtl" ? "left" : "right"] = `${lessons.offsetWidth + 8}px`;
  }).observe(lessons);
}

/**
 * Show the row of digits beside the button; returns what takes it away again.
 * @param {HTMLElement} place
 * @param {HTMLButtonElement} start
 * @param {any} settings of the row of digits
 */
function welcome(place, start, settings) {
  const stop = new AbortController();
  function leave() {
    stop.abort();
    place.replaceChildren(start);
  }
  /** @param {Uint8Array[]} frames */
  function show(frames) {
    if (stop.signal.aborted) return;
    const canvas = h("canvas", {
      class: "ddpm-pixels",
      role: "img",
      "aria-label": say("a row of digits coming out of noise, drawn by the network on this device"),
    });
    const close = () => {
      leave();
      start.focus({ preventScroll: true });
    };
    place.replaceChildren(
      h(
        "div",
        { class: "ddpm-intro-strip", role: "region", "aria-label": say("what this is") },
        canvas,
        h("p", {}, say("A network drew these digits out of noise. See how:")),
        start,
        button("✕", close, { "aria-label": say("close the introduction") }),
      ),
    );
    play(canvas, frames, settings.n, stop.signal);
  }
  makeFrames(settings, stop.signal).then(show, () => {}); // a device that cannot draw: the page is whole without the row
  return leave;
}

/**
 * The frames of the row, from noise to digits, as grey levels.
 * @param {any} settings
 * @param {AbortSignal} signal
 */
async function makeFrames(settings, signal) {
  /** @type {Uint8Array[]} */
  const frames = [];
  await walkOnDevice(
    await planHere(settings),
    ({ x_t, x_s }) => {
      if (!frames.length) frames.push(greyLevels(x_t));
      frames.push(greyLevels(x_s));
    },
    signal,
  );
  return frames;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array[]} frames
 * @param {number} n digits
 * @param {AbortSignal} signal
 */
async function play(canvas, frames, n, signal) {
  const paint = (/** @type {number} */ k) => {
    paintGrid(canvas, frames[k], n, SIZE, 2, n);
    canvas.dataset.frame = String(k);
  };
  const last = frames.length - 1;
  for (let round = 0; round < (reducedMotion() ? 0 : ROUNDS); round++) {
    for (let k = 0; k <= last && !signal.aborted; k++) {
      paint(k);
      await wait(k < last ? FRAME : HELD);
    }
  }
  if (!signal.aborted) paint(last);
}

const wait = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether this browser is here for the first time; from now on it is not. One that keeps nothing is never new. */
function isNew() {
  try {
    const been = localStorage.getItem(KEY);
    localStorage.setItem(KEY, "1");
    return !been;
  } catch {
    return false;
  }
}

/** Whether the address asks for something of its own. */
const isLinked = () => [...new URL(location.href).searchParams.keys()].some((name) => name !== "__theme");
