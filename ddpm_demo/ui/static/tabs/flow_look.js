// The same mixture in flow matching's clothes: along a straight line, by another clock and in another scale.
import { makeCurve } from "../curve.js";
import { h, number } from "../dom.js";
import { flowPoint } from "../flow.js";
import { formula } from "../maths.js";
import { BLUE, GREEN, ORANGE } from "../palette.js";
import { paintFloats } from "../paint.js";
import { drawSchedules } from "./schedule_curves.js";
import { alphaBarAt, mixture, state } from "../state.js";
import { say } from "../words.js";

const QUARTER = Array.from({ length: 91 }, (_, k) => (k * Math.PI) / 180);

export function makeFlowLook() {
  const mixtures = makeCurve({ xTitle: say("noise") }),
    clock = makeCurve({ xTitle: say("timestep t") });
  const picture = (/** @type {string} */ name) => {
    const canvas = h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name }),
      caption = h("figcaption", {});
    return { canvas, caption, element: h("figure", {}, canvas, caption) };
  };
  const ours = picture("flow_x_t"),
    theirs = picture("flow_x");
  const words = h("p", { class: "ddpm-facts", "data-name": "flow" });

  /** @param {boolean} all the curves, too, not only where t is on them */
  function paint(all = true) {
    if (!element.open || !state.digit || !state.noise) return;
    const alphaBar = alphaBarAt(),
      { time, scale, signal, noise } = flowPoint(alphaBar),
      x_t = mixture(alphaBar);
    paintFloats(ours.canvas, x_t);
    paintFloats(
      theirs.canvas,
      x_t.map((value) => value / scale),
    );
    const two = (/** @type {number} */ value) => number(value, 2);
    ours.caption.textContent = `${say("xₜ by {schedule}:", { schedule: state.schedule })}\n${two(signal)} x₀ + ${two(noise)} ε`;
    theirs.caption.textContent = `xₜ / ${two(scale)}:\n${two(1 - time)} x₀ + ${two(time)} ε`;
    for (const { canvas, caption } of [ours, theirs]) canvas.setAttribute("aria-label", caption.textContent ?? "");
    const now = { t: state.t, s: time, percent: 100 * time, scale };
    words.textContent = say(
      "At t = {t} flow matching's clock shows s = {s:.3f}: {percent:.0f} % of the straight way from the picture to the " +
        "noise. Divide xₜ by {scale:.3f}, and it lies on that line.",
      now,
    );
    mixtures.draw({
      label: say(
        "how much picture and how much noise is mixed: by every schedule a quarter of a circle, by flow matching a " +
          "straight line. At t = {t} flow matching's clock shows s = {s:.3f}: {percent:.0f} % of the straight way from the " +
          "picture to the noise",
        now,
      ),
      x: [0, 1.05],
      y: [0, 1.05],
      series: [
        { name: say("the schedule's xₜ"), colour: BLUE, x: QUARTER.map(Math.sin), y: QUARTER.map(Math.cos) },
        { name: say("flow matching's x"), colour: ORANGE, dash: "dash", x: [0, 1], y: [1, 0] },
        { name: say("both, now"), colour: GREEN, rings: true, x: [noise, time], y: [signal, 1 - time] },
      ],
    });
    if (all) drawClock();
    clock.setCursor(state.t);
    Object.assign(element.dataset, { time, scale });
  }
  const drawClock = () =>
    drawSchedules(clock, say("flow matching's time s"), (alphaBar) => alphaBar.map((each) => flowPoint(each).time));
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ddpm-details ddpm-flow", ontoggle: () => paint() },
      h("summary", {}, say("Flow matching: the same walk, along a straight line")),
      h(
        "p",
        {},
        say(
          "You may have met flow matching elsewhere, as what came after diffusion. It mixes picture and noise in the plainest " +
            "way, along a straight line: at s = 0.3, seven tenths of the picture and three tenths of the noise. But our xₜ is " +
            "the same picture with more contrast: divide it by the sum of its two coefficients, and it lies on that line. " +
            "What differs is the clock, s instead of t, and the scale. So a network that was trained for one answers for the other.",
        ),
      ),
      words,
      h("div", { class: "ddpm-pictures ddpm-small-pictures ddpm-flow-pictures" }, ours.element, theirs.element),
      h(
        "div",
        { class: "ddpm-columns" },
        h(
          "figure",
          {},
          mixtures.element,
          h(
            "figcaption",
            {},
            say(
              "How much picture (up) and noise (across) is mixed. Every schedule walks the same quarter circle, each at its own pace.",
            ),
          ),
        ),
        h("figure", {}, clock.element, h("figcaption", {}, say("What flow matching's clock s shows at each t"))),
      ),
      h(
        "details",
        { class: "ddpm-details" },
        h("summary", {}, say("The formulas")),
        h(
          "p",
          { class: "ddpm-equation" },
          ...formula("x = (1 − s) x₀ + s ε = xₜ / (√ᾱₜ + √(1 − ᾱₜ)),  s = √(1 − ᾱₜ) / (√ᾱₜ + √(1 − ᾱₜ))"),
        ),
        h(
          "p",
          { class: "ddpm-equation" },
          ...formula(say("dx/ds = ε − x₀, so the network's answer is the velocity v = ε̂ − x̂₀")),
        ),
        h(
          "p",
          {},
          ...formula(
            say(
              "One step of Euler's method along v, from s to an earlier s′, is x + (s′ − s) v = (1 − s′) x̂₀ + s′ ε̂: in this " +
                "clock and scale that is DDIM's step without noise. On the Generate tab each film is looked at in this way.",
            ),
          ),
        ),
        h(
          "p",
          { class: "ddpm-small" },
          "Lipman et al. 2023, “Flow matching for generative modeling”; Liu et al. 2023, “Flow straight and fast”; Gao et al. " +
            "2024, “Diffusion meets flow matching: two sides of the same coin”; DDIM: Song et al. 2021, equation 12.",
        ),
      ),
    )
  );
  return { element, paint };
}
