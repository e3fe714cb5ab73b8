// A slider with play, pause, single steps and speed: for the timestep, and for the frames of a film.
import { button, h, newId, reducedMotion, select } from "./dom.js";
import { say } from "./words.js";

const SECONDS = 6; // from one end to the other, at 1×
const CALM_SECONDS = 20; // the same for people who asked their system for less motion

/**
 * @param {{label: string, help: string, max: number, value: number, loop?: () => boolean,
 *          describe: (value: number) => string, onInput: (value: number) => void}} options
 *   onInput is called when the student or the player moves the slider, not for `set`.
 */
export function makeSlider(options) {
  const id = newId("slider");
  const input = h("input", {
    type: "range",
    id,
    min: 0,
    max: options.max,
    step: 1,
    value: options.value,
    "aria-describedby": `${id}-help`,
    oninput: () => {
      pause();
      moved();
    },
  });
  const words = h("span"),
    output = h("output", { for: id, class: "ddpm-value", "aria-live": "off" }, words); // said with the slider itself
  const playButton = button("", () => (frame ? pause() : play()));
  const speed = select(say("speed"), { 0.25: "¼×", 0.5: "½×", 1: "1×", 2: "2×", 4: "4×" }, () => {});
  speed.input.value = "1";
  const step = (/** @type {number} */ by) => () => {
    pause();
    set(Number(input.value) + by);
    moved();
  };
  let frame = 0;

  function describe() {
    words.textContent = options.describe(Number(input.value));
    input.setAttribute("aria-valuetext", words.textContent);
  }
  function moved() {
    describe();
    options.onInput(Number(input.value));
  }
  /** @param {number} value */
  function set(value) {
    input.value = String(value);
    describe();
  }
  /** @param {number} max */
  function setMax(max) {
    const before = input.value;
    input.max = String(max);
    if (input.value !== before) describe(); // the browser has moved it to its new end
  }
  function label() {
    playButton.textContent = frame ? say("❚❚ Pause") : say("▶ Play");
  }
  function pause() {
    if (!frame) return; // as with every move of a drag
    cancelAnimationFrame(frame);
    frame = 0;
    label();
  }
  function play() {
    if (Number(input.max) <= 0) return;
    let position = Number(input.value) >= Number(input.max) ? 0 : Number(input.value);
    let before = performance.now();
    const tick = (/** @type {number} */ now) => {
      const max = Number(input.max);
      position +=
        ((now - before) / 1000) * (max / (reducedMotion() ? CALM_SECONDS : SECONDS)) * Number(speed.input.value);
      before = now;
      const ended = position >= max;
      if (ended) position = options.loop?.() ? 0 : max;
      if (Math.floor(position) !== Number(input.value)) {
        input.value = String(Math.floor(position));
        moved();
      }
      if (ended && position === max) return pause();
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    label();
  }
  const element = h(
    "div",
    { class: "ddpm-slider" },
    h("div", { class: "ddpm-slider-head" }, h("label", { for: id }, options.label), output),
    input,
    h(
      "div",
      { class: "ddpm-row" },
      playButton,
      button("−1", step(-1), { "aria-label": say("one step back") }),
      button("+1", step(1), { "aria-label": say("one step forward") }),
      speed.element,
    ),
    h("p", { id: `${id}-help`, class: "ddpm-help" }, options.help),
  );
  label();
  describe();
  return { element, set, setMax, play, pause, value: () => Number(input.value) };
}
