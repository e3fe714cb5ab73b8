// Small helpers to build a page out of elements.
import { language, number as written, say } from "./words.js";

/**
 * Make an element: h("p", {class: "note"}, "text", child, ...). `on...` is a listener; true stands for an attribute
 * without a value, false and undefined for none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string | number)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.map((child) => (typeof child === "number" ? String(child) : child)));
  return element;
}

/** @param {string} text that Python said within a sentence, in the reader's language */
export const sentence = (text) =>
  say("{sentence}.", { sentence: `${text[0].toLocaleUpperCase(language)}${text.slice(1)}` });

let ids = 0;
export const newId = (/** @type {string} */ stem) => `ddpm-${stem}-${ids++}`;

/**
 * @param {string} text
 * @param {(event: MouseEvent) => void} onclick
 * @param {Record<string, any>} [attributes]
 */
export const button = (text, onclick, attributes = {}) =>
  h("button", { type: "button", class: "ddpm-button", onclick, ...attributes }, text);

/**
 * A labelled choice; `options` maps values to texts.
 * @param {string} label
 * @param {Record<string, string | number>} options
 * @param {(value: string) => void} onchange
 */
export function select(label, options, onchange) {
  const id = newId("select");
  const element = h("select", { id, class: "ddpm-select", onchange: () => onchange(element.value) });
  /** @param {Record<string, string | number>} choices */
  const fill = (choices) =>
    element.replaceChildren(...Object.entries(choices).map(([value, text]) => h("option", { value }, text)));
  fill(options);
  return { element: h("span", { class: "ddpm-row" }, h("label", { for: id }, label), element), input: element, fill };
}

/**
 * A labelled box to tick.
 * @param {string} label
 * @param {() => void} onchange
 */
export function checkbox(label, onchange) {
  const id = newId("check");
  const input = h("input", { type: "checkbox", id, onchange });
  return { element: h("p", { class: "ddpm-small" }, input, " ", h("label", { for: id }, label)), input };
}

/**
 * What draws on a canvas: there is one, since none here is asked for any other.
 * @param {HTMLCanvasElement} canvas
 */
export const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Call `run` when the page goes to paper, and when it is back: what is drawn only where it is seen must be there, and in
 * the colours of paper.
 */
export function onPaper(/** @type {() => void} */ run) {
  addEventListener("beforeprint", run);
  matchMedia("print").addEventListener("change", run); // after the style sheets have turned, both ways
}

/** True where an element has a place on the screen. Safari before 17.4 has no `checkVisibility`. */
export const isShown = (/** @type {Element | null} */ element) =>
  element?.checkVisibility?.() ?? Boolean(element?.getClientRects().length);

let stay = new AbortController(); // ends the last `scrollToTop`

/**
 * Scroll an element to the top, and again while the page above it still grows: until the reader does something.
 * @param {Element} element
 */
export function scrollToTop(element) {
  stay.abort();
  const own = (stay = new AbortController());
  const behavior = reducedMotion() ? "auto" : "smooth";
  // called at once, too; a smooth way that is under way goes on to where the element has moved
  const sizes = new ResizeObserver(() =>
    isShown(element) ? element.scrollIntoView({ block: "start", behavior }) : own.abort(),
  );
  own.signal.addEventListener("abort", () => sizes.disconnect());
  for (const deed of ["pointerdown", "wheel", "touchstart", "keydown"])
    addEventListener(deed, () => own.abort(), { capture: true, passive: true, signal: own.signal });
  sizes.observe(document.body);
}

/**
 * Return a function that calls `run` once things have been quiet for `milliseconds`.
 * @param {() => void} run
 */
export function settled(run, milliseconds = 150) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
}

/**
 * A place from which a screen reader says what it was given last, once that has stood for a moment: not every frame of
 * what plays, nor every pixel that a pointer passes.
 */
export function makeSpoken() {
  const element = h("p", { class: "ddpm-spoken", "aria-live": "polite" });
  let last = "";
  const speak = settled(() => {
    if (element.textContent !== last) element.textContent = last;
  }, 600);
  return {
    element,
    say: (/** @type {string} */ text) => {
      last = text;
      speak();
    },
  };
}

/**
 * Return a function that calls `run` once in the next frame, however often it is called before; `run` gets all changes.
 * @template {object} Changes
 * @param {(changes: Changes) => void} run
 */
export function nextFrame(run) {
  /** @type {Changes | null} */
  let changes = null;
  return (/** @type {Changes} */ more) => {
    const waiting = changes !== null;
    changes = { ...changes, ...more };
    if (waiting) return;
    requestAnimationFrame(() => {
      const all = /** @type {Changes} */ (changes);
      changes = null;
      run(all);
    });
  };
}

/** A number as people write it. */
export const number = (/** @type {number} */ value, digits = 3) => written(value, digits);

/**
 * The page's own colours, light or dark.
 * @param {Element} element
 */
export function colours(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return { text: of("--body-text-color"), line: of("--border-color-primary") };
}

/**
 * Seconds as people say them.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 90) return say("{seconds:.0f} s", { seconds });
  return seconds < 5400
    ? say("{minutes:.1f} minutes", { minutes: seconds / 60 })
    : say("{hours:.1f} hours", { hours: seconds / 3600 });
}
