// One jump or many steps: q(x_t | x_0) at once, against the chain of single noisings q(x_k | x_{k-1}), k = 0..t.
import { button, h, number, reducedMotion } from "../dom.js";
import { makeHistogram } from "./histogram.js";
import { formula } from "../maths.js";
import { paintFloats } from "../paint.js";
import { ORANGE } from "../palette.js";
import { alphaBarAt, known, mixture, state } from "../state.js";
import { say } from "../words.js";

/**
 * Independent standard normal numbers from a seed: mulberry32, then Box and Muller's transform.
 * @param {number} seed
 */
export function normals(seed) {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let z = Math.imul(a ^ (a >>> 15), a | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  /** @type {number | null} */
  let spare = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform())),
      angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * A walk from x_0 by single steps x_k = sqrt(1 - beta_k) x_{k-1} + sqrt(beta_k) z_k (Ho et al. 2020, equation 2).
 * @param {ArrayLike<number>} x0
 * @param {ArrayLike<number>} beta
 * @param {number} seed
 */
export function makeWalk(x0, beta, seed) {
  const draw = normals(seed);
  const x = Float64Array.from(x0);
  let steps = 0;
  return {
    x,
    steps: () => steps,
    step() {
      const keep = Math.sqrt(1 - beta[steps]),
        noise = Math.sqrt(beta[steps]);
      for (let i = 0; i < x.length; i++) x[i] = keep * x[i] + noise * draw();
      steps++;
    },
  };
}

/**
 * x_t by t + 1 single steps.
 * @param {ArrayLike<number>} x0
 * @param {ArrayLike<number>} beta
 * @param {number} t
 * @param {number} seed
 */
export function walk(x0, beta, t, seed) {
  const way = makeWalk(x0, beta, seed);
  while (way.steps() <= t) way.step();
  return way.x;
}

const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (/** @type {number[]} */ values) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

const SECONDS = 3; // of a whole walk on the screen
const MOST = 0.7; // density at the histograms' top: they end near 0.4, and begin as a spike

export function makeChainPanel() {
  const canvas = (/** @type {string} */ label, /** @type {Record<string, string>} */ attributes = {}) =>
    h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "aria-label": label, ...attributes });
  const jump = canvas(say("xₜ in one jump")),
    chain = canvas(say("xₜ by a chain of single steps"), { "data-name": "chain" });
  const look = { most: MOST, colour: ORANGE };
  const inJump = makeHistogram(say("histogram of the noise after one jump, against N(0, 1)"), look);
  const inChain = makeHistogram(say("histogram of the noise after the steps, against N(0, 1)"), look);
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "chain" });
  const counter = h("figcaption", { "data-name": "chain-steps" }, say("step by step"));
  const again = button(say("Walk again"), () => run(), { "data-name": "chain-again" });
  const element = h(
    "details",
    { class: "ddpm-details ddpm-chain", ontoggle: () => run() },
    h("summary", {}, say("One jump or many steps?")),
    h(
      "p",
      {},
      say(
        "The formula reaches xₜ in one jump. The process it stands for takes t + 1 small steps, each with fresh noise. " +
          "The two pictures differ, since their noises do; their distribution is the same.",
      ),
    ),
    h(
      "div",
      { class: "ddpm-pictures ddpm-chain-pictures" },
      h("figure", {}, jump, h("figcaption", {}, say("one jump"))),
      h("figure", {}, chain, counter),
      h("figure", {}, inJump.element, h("figcaption", {}, say("the noise after the jump, and N(0, 1)"))),
      h("figure", {}, inChain.element, h("figcaption", {}, say("the noise after the steps, and N(0, 1)"))),
    ),
    h("div", { class: "ddpm-row" }, again),
    words,
  );
  let frame = 0; // the one that is asked for next

  /** Show the jump at once and the steps as they are walked; where nothing may move, their end. */
  function run() {
    cancelAnimationFrame(frame);
    if (!element.open) return;
    const { digit, noise } = known();
    const alphaBar = alphaBarAt(),
      { x0 } = digit,
      total = state.t + 1;
    const once = mixture(),
      way = makeWalk(x0, state.tables[state.schedule].beta, noise.seed + 1);
    /** The noise in a picture, in units of that in xₜ; `left` is what is left of the picture's variance. */
    const noiseIn = (/** @type {ArrayLike<number>} */ x, /** @type {number} */ left) =>
      Array.from(x, (value, i) => (value - Math.sqrt(left) * x0[i]) / Math.sqrt(1 - alphaBar));
    const a = noiseIn(once, alphaBar);
    paintFloats(jump, once);
    inJump.draw(a);
    words.textContent = "";
    let left = 1; // of the picture's variance, after the steps so far
    /** @type {number | null} */
    let begun = null;
    function show(/** @type {number} */ now) {
      begun ??= now;
      const share = reducedMotion() ? 1 : (now - begun) / (1000 * SECONDS);
      while (way.steps() < Math.min(total, Math.ceil(share * total))) {
        left *= 1 - state.tables[state.schedule].beta[way.steps()];
        way.step();
      }
      const b = noiseIn(way.x, left);
      paintFloats(chain, way.x);
      inChain.draw(b);
      counter.textContent = say("step {step} of {total}", { step: way.steps(), total });
      if (way.steps() < total) {
        frame = requestAnimationFrame(show);
        return;
      }
      const steps = say("{count} step|{count} steps", { count: total });
      words.replaceChildren(
        ...formula(
          say(
            "The noise, (xₜ − √ᾱ x₀) / √(1 − ᾱ), over the 784 pixels: in one jump mean {mean}, standard deviation " +
              "{deviation}; after {steps} mean {chainMean}, standard deviation {chainDeviation}. Both should be 0 and " +
              "1, give or take {meanOff} and {deviationOff} with so few pixels.",
            {
              mean: number(mean(a), 2),
              deviation: number(deviation(a), 2),
              steps,
              chainMean: number(mean(b), 2),
              chainDeviation: number(deviation(b), 2),
              meanOff: 0.04,
              deviationOff: 0.03,
            },
          ),
        ),
      );
    }
    show(performance.now());
  }
  return { element, run };
}
