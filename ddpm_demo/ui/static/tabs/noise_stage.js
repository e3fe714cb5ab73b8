// The stage of the Noise tab: x_t is computed here, in the page, from x0, eps and the alpha_bar table; no drag asks a server.
import { schedulePicker, timestepSlider } from "../controls.js";
import { button, h, number, settled } from "../dom.js";
import { figure, perCent } from "../figures.js";
import { formula } from "../maths.js";
import { beginLink, writeLink } from "../link.js";
import { openTab } from "../open_tab.js";
import { guesses } from "./guesses.js";
import { makePixels } from "./pixels.js";
import { alphaBarAt, known, readValue, state, subscribe, update } from "../state.js";
import { say } from "../words.js";

/** @param {Record<string, any>} value what Python sent: the first digit, noise and tables */
export function makeNoiseStage(value) {
  update(readValue(value));
  beginLink();
  const pixels = makePixels();
  const signal = h("b", { "data-name": "signal" }),
    noise = h("b", { "data-name": "noise" });
  const digitTerm = h("span", { class: "ddpm-term" }, signal, ...formula(" x₀")),
    noiseTerm = h("span", { class: "ddpm-term" }, noise, ...formula(" ε"));
  const equation = h("p", { class: "ddpm-equation" });
  equation.append(...formula("xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε = "), digitTerm, " + ", noiseTerm);
  const facts = h("p", { class: "ddpm-facts ddpm-moving" });
  const spoken = h("p", { class: "ddpm-spoken", "aria-live": "polite" });
  const note = h("p", { class: "ddpm-note", role: "status" }, value.note ?? "");
  const { x_t, x0, eps } = pixels.frames;
  const onward = button(say("and back again →"), () => openTab("generate"), {
    class: "ddpm-button ddpm-primary ddpm-onward",
    hidden: true,
  });
  x_t.frame.append(onward);
  const all = h(
    "div",
    {},
    note,
    h(
      "div",
      { class: "ddpm-stage ddpm-noise-stage" },
      h("div", { class: "ddpm-lead-picture" }, x_t.element),
      h(
        "div",
        { class: "ddpm-noise-controls" },
        timestepSlider(say("Drag, or use the arrow keys. t = 0 is nearly clean, the far end nearly pure noise.")),
        equation,
        facts,
      ),
      h("div", { class: "ddpm-pair ddpm-mixed" }, x0.element, eps.element),
      guesses.element,
    ),
    pixels.details,
    spoken,
    schedulePicker(),
  );

  const rest = settled(() => {
    spoken.textContent = say("{digit}, t = {t}, {percent} signal", {
      digit: known().digit.name,
      t: state.t,
      percent: perCent(alphaBarAt()),
    });
    writeLink();
  });
  /** @param {import("../state.js").Changes | {digit: true, noise: true}} changes */
  function paint(changes) {
    const alphaBar = alphaBarAt(),
      { digit, noise: drawn } = known();
    pixels.paint(changes);
    for (const [term, weight, share] of /** @type {const} */ ([
      [digitTerm, signal, Math.sqrt(alphaBar)],
      [noiseTerm, noise, Math.sqrt(1 - alphaBar)],
    ])) {
      weight.textContent = number(share, 4);
      term.style.setProperty("--share", String(share)); // it is set as large as it weighs
    }
    facts.textContent = say(
      "ᾱ = {alphaBar}: {percent} of the variance is signal; SNR {snr} dB. {digit}; noise of seed {seed}.",
      {
        alphaBar: figure(alphaBar, 5),
        percent: perCent(alphaBar),
        snr: number(10 * Math.log10(alphaBar / (1 - alphaBar)), 1),
        digit: digit.name,
        seed: drawn.seed,
      },
    );
    onward.hidden = state.t < state.tables[state.schedule].alphaBar.length - 1;
    rest();
  }
  subscribe(all, paint);
  paint({ digit: true, noise: true });
  return {
    element: all,
    tell: (text) => {
      note.textContent = text;
    },
  };
}
