// One jump or many steps: q(x_t | x_0) at once, against the chain of single noisings q(x_k | x_{k-1}), k = 0..t.
import { h, number } from "../dom.js";
import { makeHistogram } from "./histogram.js";
import { formula } from "../maths.js";
import { paintFloats } from "../paint.js";
import { alphaBarAt, known, mixture, state } from "../state.js";

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
 * x_t by t + 1 single steps x_k = sqrt(1 - beta_k) x_{k-1} + sqrt(beta_k) z_k (Ho et al. 2020, equation 2).
 * @param {ArrayLike<number>} x0
 * @param {ArrayLike<number>} beta
 * @param {number} t
 * @param {number} seed
 */
export function walk(x0, beta, t, seed) {
  const draw = normals(seed);
  const x = Float64Array.from(x0);
  for (let k = 0; k <= t; k++) {
    const keep = Math.sqrt(1 - beta[k]),
      noise = Math.sqrt(beta[k]);
    for (let i = 0; i < x.length; i++) x[i] = keep * x[i] + noise * draw();
  }
  return x;
}

const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (/** @type {number[]} */ values) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

export function makeChainPanel() {
  const jump = h("canvas", {
    width: 28,
    height: 28,
    role: "img",
    class: "ddpm-pixels",
    "aria-label": "xₜ in one jump",
  });
  const chain = h("canvas", {
    width: 28,
    height: 28,
    role: "img",
    class: "ddpm-pixels",
    "data-name": "chain",
    "aria-label": "xₜ by a chain of single steps",
  });
  const histogram = makeHistogram("histograms of the noise in both pictures, against N(0, 1)");
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "chain" });
  const element = h(
    "details",
    { class: "ddpm-details ddpm-chain", ontoggle: () => run() },
    h("summary", {}, "One jump or many steps?"),
    h(
      "p",
      {},
      "The formula reaches xₜ in one jump. The process it stands for takes t + 1 small steps, each with fresh noise. " +
        "The two pictures differ, since their noises do; their distribution is the same.",
    ),
    h(
      "div",
      { class: "ddpm-pictures" },
      h("figure", {}, jump, h("figcaption", {}, "one jump")),
      h("figure", {}, chain, h("figcaption", {}, "step by step")),
      h(
        "figure",
        {},
        histogram.element,
        h("figcaption", {}, "the noise in each (jump: blue, chain: orange), and N(0, 1)"),
      ),
    ),
    words,
  );

  function run() {
    if (!element.open) return;
    const { digit, noise } = known();
    const alphaBar = alphaBarAt(),
      { x0 } = digit;
    const once = mixture(),
      steps = walk(x0, state.tables[state.schedule].beta, state.t, noise.seed + 1);
    const noiseIn = (/** @type {ArrayLike<number>} */ x) =>
      Array.from(x, (value, i) => (value - Math.sqrt(alphaBar) * x0[i]) / Math.sqrt(1 - alphaBar));
    const [a, b] = [noiseIn(once), noiseIn(steps)];
    paintFloats(jump, once);
    paintFloats(chain, steps);
    histogram.draw(a, b);
    words.replaceChildren(
      ...formula(
        `The noise, (xₜ − √ᾱ x₀) / √(1 − ᾱ), over the 784 pixels: in one jump mean ${number(mean(a))}, standard deviation ` +
          `${number(deviation(a))}; after ${state.t + 1} steps mean ${number(mean(b))}, standard deviation ${number(deviation(b))}. ` +
          "Both should be 0 and 1, give or take 0.04 and 0.03 with so few pixels.",
      ),
    );
  }
  return { element, run };
}
