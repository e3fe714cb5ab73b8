// A slider with play, pause, single steps and speed: for the timestep, and for the frames of a film.
import { h, newId, reducedMotion } from "./dom.js";

/**
 * @param {{label: string, help: string, max: number, value: number, loop?: boolean,
 *          describe: (value: number) => string, onInput: (value: number, byHand: boolean) => void}} options
 * @returns {{element: HTMLElement, set: (value: number) => void, setMax: (max: number) => void, pause: () => void,
 *            play: () => void, value: () => number}}
 */
export function makeSlider(options) {
  const id = newId("slider");
  const input = h("input", {
    type: "range", id, min: 0, max: options.max, step: 1, value: options.value, "aria-describedby": `${id}-help`,
    oninput: () => { pause(); changed(true); },
  });
  const output = h("output", { for: id, class: "ddpm-value" });
  const playButton = h("button", { type: "button", class: "ddpm-button", onclick: () => (timer ? pause() : play()) });
  const step = (by) => () => { pause(); set(Number(input.value) + by); changed(true); };
  const speed = h("select", { id: `${id}-speed`, class: "ddpm-select" },
    ...[["0.25", "¼×"], ["0.5", "½×"], ["1", "1×"], ["2", "2×"], ["4", "4×"]].map(([value, text]) =>
      h("option", { value, selected: value === "1" }, text)));
  let timer = null;
  let position = 0; // where play has come to, in fractions of a step

  function changed(byHand) {
    output.textContent = options.describe(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    options.onInput(Number(input.value), byHand);
  }
  function set(value) {
    input.value = value;
    output.textContent = options.describe(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  }
  function label() {
    playButton.textContent = timer ? "❚❚ Pause" : "▶ Play";
    playButton.setAttribute("aria-pressed", timer ? "true" : "false");
  }
  function pause() {
    if (timer) cancelAnimationFrame(timer);
    timer = null;
    label();
  }
  function play() {
    const max = Number(input.max);
    if (max <= 0) return;
    if (Number(input.value) >= max) { input.value = 0; changed(true); }
    position = Number(input.value);
    let before = performance.now();
    const seconds = reducedMotion() ? 20 : 6; // for the whole way, at 1×
    const tick = (now) => {
      position += ((now - before) / 1000) * (Number(input.max) / seconds) * Number(speed.value);
      before = now;
      if (position >= Number(input.max)) {
        position = options.loop?.() ? 0 : Number(input.max);
        if (position) { input.value = position; changed(true); return pause(); }
      }
      if (Math.floor(position) !== Number(input.value)) { input.value = Math.floor(position); changed(true); }
      timer = requestAnimationFrame(tick);
    };
    timer = requestAnimationFrame(tick);
    label();
  }
  const element = h("div", { class: "ddpm-slider" },
    h("div", { class: "ddpm-slider-head" }, h("label", { for: id }, options.label), output),
    input,
    h("div", { class: "ddpm-row" },
      playButton,
      h("button", { type: "button", class: "ddpm-button", "aria-label": "one step back", onclick: step(-1) }, "−1"),
      h("button", { type: "button", class: "ddpm-button", "aria-label": "one step forward", onclick: step(1) }, "+1"),
      h("label", { for: `${id}-speed`, class: "ddpm-small" }, "speed"), speed),
    h("p", { id: `${id}-help`, class: "ddpm-help" }, options.help));
  label();
  set(options.value);
  return {
    element, set, pause, play,
    setMax: (max) => { input.max = max; },
    value: () => Number(input.value),
  };
}
