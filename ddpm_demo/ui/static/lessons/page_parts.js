// The real page under a lesson: locking parts of it, leading to one, and noticing when a task was done.
import { isShown, scrollToTop } from "../dom.js";
import { film } from "../film/film_state.js";
import { state } from "../state.js";

const EVERY = 200; // milliseconds between two looks at the page
const SHOWN = 3000; // milliseconds that a mark stays at least
const EMPTY = 20; // pixels: a part that is lower has nothing in it yet

/** Lock parts of the page, those that come later too, until the returned function is called. */
export function lockParts(selectors) {
  const apply = (locked) => {
    for (const part of selectors.flatMap((selector) => [...document.querySelectorAll(selector)])) {
      if (part.inert !== locked) part.inert = locked;
      part.classList.toggle("ddpm-lesson-locked", locked);
    }
  };
  apply(true);
  const timer = setInterval(() => apply(true), EVERY);
  return () => {
    clearInterval(timer);
    apply(false);
  };
}

/** Scroll a part of the page into view and mark it for a moment; false while it is not there, or empty: it would grow out of sight. */
export function leadTo(selector) {
  const part = document.querySelector(selector);
  if (!isShown(part) || part.offsetHeight < EMPTY) return false;
  part.classList.add("ddpm-lesson-here");
  // to the top: on a phone the lesson lies over the lower half
  scrollToTop(part);
  // until the student has done something there, or elsewhere: who reads slowly needs longer than any clock allows
  const seen = new AbortController();
  const end = () => {
    part.classList.remove("ddpm-lesson-here");
    seen.abort();
  };
  const begun = performance.now();
  for (const deed of ["pointerdown", "keydown"])
    addEventListener(deed, () => performance.now() - begun < SHOWN || end(), { capture: true, signal: seen.signal });
  return true;
}

/** What a part of the page says about itself; undefined while it is not there. */
const said = (/** @type {string} */ selector, /** @type {string} */ name) => {
  /** @type {HTMLElement | null} */
  const part = document.querySelector(selector);
  return part?.dataset[name];
};
/** @type {Record<string, () => number>} */
const VALUES = {
  t: () => state.t,
  layers: () => {
    /** @type {HTMLInputElement | null} */
    const slider = document.querySelector("#receptive-map input[type=range]");
    return slider ? Number(slider.value) : NaN;
  },
  completion: () => Number(said("#completion .ddpm-completion", "completed") ?? 0),
};
/** @type {Record<string, () => boolean>} */
const DONE = {
  film: () => film.done === 1 && film.frames.length > 1,
  race: () => said("#race-film [data-done]", "done") === "1",
  training: () => Number(said("#train-view .ddpm-train", "lines") ?? 0) > 0,
};

/** Call `onDone` once a task has been done; `press` is true if the one before was a press, which begins something anew. */
export function watchTask(task, kind, selector, press, onDone) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    document.removeEventListener("click", pressed, true);
  };
  const finish = () => {
    stop();
    onDone();
  };
  function pressed(event) {
    if (event.target.closest?.(selector)) finish();
  }
  if (kind === "press") {
    document.addEventListener("click", pressed, true);
    return stop;
  }
  const first = state[task.watch],
    start = VALUES[task.watch]?.();
  let stale = press && kind === "done" && DONE[task.watch]();
  const limited = task.at_least !== null || task.at_most !== null;
  const isDone = {
    range: () => {
      const value = VALUES[task.watch]();
      return limited
        ? value >= (task.at_least ?? -Infinity) && value <= (task.at_most ?? Infinity)
        : value !== start && !Number.isNaN(value);
    },
    is: () => (task.value ? state[task.watch] === task.value : state[task.watch] !== first),
    change: () => state[task.watch] !== first,
    anew: () => VALUES[task.watch]() > start,
    done: () => {
      const done = DONE[task.watch]();
      if (!done) stale = false;
      return done && !stale;
    },
  }[kind];
  timer = setInterval(() => {
    if (isDone()) finish();
  }, EVERY);
  return stop;
}

/** What a task keeps: where t stands. */
export const keptValue = () => state.t;

const PATIENCE = 300_000; // milliseconds that a page may take to open: a busy laptop opens it slowly, and is not wrong

/** Try until it works. */
export function soon(attempt) {
  const begun = performance.now();
  const next = () => {
    if (!attempt() && performance.now() - begun < PATIENCE) setTimeout(next, 100);
  };
  next();
}
