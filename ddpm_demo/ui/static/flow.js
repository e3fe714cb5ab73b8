// Flow matching's clock and scale, and a film in them: as ddpm_demo/explaining/flow.py computes them.

/**
 * A step: both of its alpha_bar, the picture before and after it, and the clean image that it used; of all digits.
 * @typedef {{alpha_bar_t: number, alpha_bar_s: number, x_t: Float32Array, x0_hat: Float32Array,
 *            x_s: Float32Array}} FlowStep
 * @typedef {{times: number[], turn: number[], detour: number[], flow_detour: number[], off_euler: number}} FilmFlow
 */

/** The flow's time s, from 0 (the picture) to 1 (noise), and what x_t is divided by. */
export function flowPoint(/** @type {number} */ alphaBar) {
  const signal = Math.sqrt(alphaBar),
    noise = Math.sqrt(1 - alphaBar);
  return { time: noise / (signal + noise), scale: signal + noise, signal, noise };
}

/**
 * @param {FlowStep[]} steps
 * @param {number} n digits
 * @returns {FilmFlow}
 */
export function filmFlow(steps, n) {
  const last = steps[steps.length - 1],
    points = [...steps.map(({ alpha_bar_t }) => flowPoint(alpha_bar_t)), flowPoint(last.alpha_bar_s)],
    pictures = [...steps.map(({ x_t }) => x_t), last.x_s],
    pixels = last.x_s.length / n,
    end = points[steps.length],
    turns = steps.map(() => /** @type {number[]} */ ([])),
    detour = [],
    flow_detour = [];
  let off_euler = 0;
  for (let k = 0; k < n; k++) {
    const at = (/** @type {number} */ frame, /** @type {number} */ i) => pictures[frame][k * pixels + i];
    const straight = (/** @type {number} */ frame, /** @type {number} */ i) => at(frame, i) / points[frame].scale;
    detour.push(longer(at, steps.length, pixels));
    flow_detour.push(longer(straight, steps.length, pixels));
    steps.forEach(({ x0_hat, x_s, alpha_bar_s }, frame) => {
      const here = points[frame],
        there = flowPoint(alpha_bar_s),
        velocity = new Float64Array(pixels),
        toTheEnd = new Float64Array(pixels);
      for (let i = 0; i < pixels; i++) {
        const x0 = x0_hat[k * pixels + i];
        velocity[i] = (at(frame, i) - here.signal * x0) / here.noise - x0; // eps_hat - x0_hat
        toTheEnd[i] = (straight(frame, i) - straight(steps.length, i)) / (here.time - end.time);
        const euler = (straight(frame, i) + (there.time - here.time) * velocity[i]) * there.scale;
        off_euler = Math.max(off_euler, Math.abs(euler - x_s[k * pixels + i]));
      }
      turns[frame].push(angle(velocity, toTheEnd));
    });
  }
  return { times: points.map(({ time }) => time), turn: turns.map(median), detour, flow_detour, off_euler };
}

/**
 * How much longer than the straight line between its ends a path is.
 * @param {(frame: number, i: number) => number} at
 * @param {number} steps
 * @param {number} pixels
 */
function longer(at, steps, pixels) {
  const apart = (/** @type {number} */ one, /** @type {number} */ other) => {
    let sum = 0;
    for (let i = 0; i < pixels; i++) sum += (at(one, i) - at(other, i)) ** 2;
    return Math.sqrt(sum);
  };
  let walked = 0;
  for (let frame = 0; frame < steps; frame++) walked += apart(frame, frame + 1);
  return walked / apart(0, steps);
}

/**
 * The angle between two directions, in degrees.
 * @param {Float64Array} one
 * @param {Float64Array} other
 */
function angle(one, other) {
  const length = (/** @type {Float64Array} */ v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)),
    a = length(one),
    b = length(other);
  const less = one.map((x, i) => x / a - other[i] / b),
    more = one.map((x, i) => x / a + other[i] / b);
  return (2 * Math.atan2(length(less), length(more)) * 180) / Math.PI;
}

/** The median, between the two in the middle where there are two. */
export function median(/** @type {number[]} */ values) {
  const sorted = [...values].sort((a, b) => a - b),
    half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
}
