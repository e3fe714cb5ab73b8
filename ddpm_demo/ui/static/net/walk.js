// The reverse process on this device: x_T to a digit by a plan, in the floats and in the order of core/sampling.py.
//
// Only Python knows what a sampler is: the plan has the numbers of every step, and here they are only added up.
import { PIXELS } from "./network.js";
import { TorchGenerator, randn } from "./randn.js";

/**
 * What the network is asked once, at `t`, and what comes of its answer:
 * x = (x_t · picture + eps_hat · eps + x0_hat · clean image + x0_before · the clean image before) / divisor.
 * @typedef {object} Call
 * @property {number} t
 * @property {number} alpha_bar at t
 * @property {number} x_t
 * @property {number} eps_hat
 * @property {number} x0_hat
 * @property {number} x0_before
 * @property {number} divisor
 *
 * A step from t to s: its calls one after the other, and at the end `std` times fresh noise. s = -1 is a digit. Where a
 * part is known, it is `given` again after the step, with noise, and a step may be taken once more after one `back`.
 * @typedef {{t: number, s: number, std: number, calls: Call[], given?: {x0: number, z: number},
 *            back?: {x: number, z: number}}} PlannedStep
 *
 * @typedef {object} Plan
 * @property {number} seed
 * @property {number} n images
 * @property {"none" | "x0" | "x_t"} clip
 * @property {Guidance | null} guidance
 * @property {PlannedStep[]} steps
 * @property {Float32Array | null} [start] where it begins, (n, 28, 28), or one picture for all; noise if there is none
 * @property {{seed: number, drawn: number} | null} [way] the noise on the way, of which so many numbers were drawn before;
 *           without it, what follows the noise of `seed` that the walk begins with
 * @property {{x0: Float32Array, mask: Uint8Array} | null} [known] a picture, and 1 where it is known
 *
 * How far the answer goes from the guide's to the network's own, and from which t (null: the first) down to which.
 * @typedef {{weight: number, first: number | null, last: number}} Guidance
 *
 * What a network said of x (n, 28, 28); `model` and `guide` are what the two said of which it is made, if two did.
 * @typedef {{eps_hat: Float32Array, model?: Float32Array, guide?: Float32Array}} Answer
 *
 * One call of a step, answered; all pictures (n, 28, 28). `eps` is the noise that goes with `x0_hat`: `eps_hat`, unless
 * x0_hat was clipped.
 * @typedef {{t: number, x: Float32Array, answer: Answer, x0_hat: Float32Array, eps: Float32Array}} Guess
 *
 * A whole step; `z` is there if there was noise, `x0_before` from the second step on.
 * @typedef {object} Step
 * @property {number} index
 * @property {Float32Array} x_t
 * @property {Guess[]} guesses
 * @property {Float32Array | null} x0_before
 * @property {Float32Array | null} z
 * @property {Float32Array} x_s
 */

const f32 = Math.fround;
/** @param {number} x */
const clamped = (x) => (x < -1 ? -1 : x > 1 ? 1 : x);

/**
 * Walk `count` images of a plan, from image `from` on: each is the same whoever walks the others. Yields every step.
 * @param {Plan} plan
 * @param {(x: Float32Array, t: number) => Answer} ask
 * @param {{from?: number, count?: number}} [part]
 * @returns {Generator<Step, void>}
 */
export function* walk(plan, ask, { from = 0, count = plan.n } = {}) {
  let random = new TorchGenerator(plan.seed);
  const part = (/** @type {Float32Array} */ all) => all.slice(from * PIXELS, (from + count) * PIXELS);
  const noise = () => part(randn(plan.n * PIXELS, random));
  let x = !plan.start ? noise() : plan.start.length > PIXELS ? part(plan.start) : repeated(plan.start, count);
  if (plan.way) {
    random = new TorchGenerator(plan.way.seed);
    if (plan.way.drawn) randn(plan.way.drawn, random);
  }
  /** @type {Float32Array | null} */
  let before = null;
  for (const [index, step] of plan.steps.entries()) {
    if (step.back) {
      x = added(scaled(step.back.x, x), step.back.z, noise());
      before = null;
    }
    const x_t = x,
      x0_before = before;
    /** @type {Guess[]} */
    const guesses = [];
    for (const call of step.calls) {
      const answer = ask(x, call.t);
      const x0_hat = cleanImage(call.alpha_bar, x, answer.eps_hat, plan.clip === "x0");
      const eps = plan.clip === "x0" ? impliedNoise(call.alpha_bar, x, x0_hat) : answer.eps_hat;
      guesses.push({ t: call.t, x, answer, x0_hat, eps });
      x = weightedSum(call, x_t, eps, x0_hat, before);
      before = x0_hat;
    }
    const z = step.std > 0 ? noise() : null;
    if (z) x = added(x, step.std, z);
    if (plan.clip === "x_t") x = x.map(clamped);
    if (step.given && plan.known) {
      const { mask, x0 } = plan.known,
        exact = scaled(step.given.x0, repeated(x0, count)),
        given = step.given.z > 0 ? added(exact, step.given.z, noise()) : exact;
      x = x.map((value, i) => (mask[i % PIXELS] ? given[i] : value));
    }
    yield { index, x_t, guesses, x0_before, z, x_s: x };
  }
}

/**
 * A network, and if there is one its guide, as one that answers (core/guidance.py, `Guided`).
 * @param {import("./network.js").Network} model
 * @param {import("./network.js").Network | null} guide
 * @param {Guidance | null} guidance
 * @returns {(x: Float32Array, t: number) => Answer}
 */
export function asked(model, guide, guidance) {
  return (x, t) => {
    const said = model.forward(x, t);
    if (!guide || !guidance || t < guidance.last || t > (guidance.first ?? t)) return { eps_hat: said };
    const guided = guide.forward(x, t),
      weight = f32(guidance.weight);
    const eps_hat = said.map((value, i) => guided[i] + f32(weight * f32(value - guided[i])));
    return { eps_hat, model: said, guide: guided };
  };
}

/**
 * x0_hat (Ho et al. 2020, equation 4 solved for x_0), clipped to [-1, 1] if that is wanted.
 * @param {number} alpha_bar
 * @param {Float32Array} x
 * @param {Float32Array} eps_hat
 * @param {boolean} clip
 */
export function cleanImage(alpha_bar, x, eps_hat, clip) {
  const signal = f32(Math.sqrt(alpha_bar)),
    noise = f32(Math.sqrt(1 - alpha_bar));
  const x0_hat = x.map((value, i) => f32(value - f32(noise * eps_hat[i])) / signal);
  return clip ? x0_hat.map(clamped) : x0_hat;
}

/**
 * The noise that x and a clean image imply: the same equation solved for eps.
 * @param {number} alpha_bar
 * @param {Float32Array} x
 * @param {Float32Array} x0
 */
export function impliedNoise(alpha_bar, x, x0) {
  const signal = f32(Math.sqrt(alpha_bar)),
    noise = f32(Math.sqrt(1 - alpha_bar));
  return x.map((value, i) => f32(value - f32(signal * x0[i])) / noise);
}

/**
 * @param {Call} call
 * @param {Float32Array} x_t
 * @param {Float32Array} eps
 * @param {Float32Array} x0_hat
 * @param {Float32Array | null} x0_before
 */
function weightedSum(call, x_t, eps, x0_hat, x0_before) {
  /** @type {[number, Float32Array | null][]} */
  const every = [
    [call.x_t, x_t],
    [call.eps_hat, eps],
    [call.x0_hat, x0_hat],
    [call.x0_before, x0_before],
  ];
  /** @type {Float32Array | null} */
  let sum = null;
  for (const [factor, picture] of every) {
    if (factor === 0 || !picture) continue;
    sum = sum ? added(sum, factor, picture) : scaled(factor, picture);
  }
  const divisor = f32(call.divisor);
  return /** @type {Float32Array} */ (sum).map((value) => value / divisor);
}

/**
 * A picture, several times.
 * @param {Float32Array} picture
 * @param {number} count
 */
function repeated(picture, count) {
  const all = new Float32Array(count * picture.length);
  for (let k = 0; k < count; k++) all.set(picture, k * picture.length);
  return all;
}

/**
 * factor · picture, rounded to float32.
 * @param {number} factor
 * @param {Float32Array} picture
 */
function scaled(factor, picture) {
  const rounded = f32(factor);
  return picture.map((value) => rounded * value);
}

/**
 * sum + factor · picture, each rounded to float32.
 * @param {Float32Array} sum
 * @param {number} factor
 * @param {Float32Array} picture
 */
function added(sum, factor, picture) {
  const rounded = f32(factor);
  return sum.map((value, i) => value + f32(rounded * picture[i]));
}

/**
 * Pictures as grey levels 0..255, -reach black and reach white, halves to the even one.
 * @param {Float32Array} pictures
 * @param {number} [reach]
 * @returns {Uint8Array}
 */
export function greyLevels(pictures, reach = 1) {
  const levels = new Uint8ClampedArray(pictures.length); // it rounds as torch does
  for (let i = 0; i < pictures.length; i++) levels[i] = f32(f32(f32(pictures[i] / reach) + 1) * 127.5);
  return new Uint8Array(levels.buffer);
}
