// What the student is looking at, shared by the tabs: digit, noise, timestep and schedule. One place holds it; a part
// of the page that shows any of it subscribes, and repaints when it is told and can be seen.
import { decodeFloat32, decodeFloat64 } from "./bytes.js";
import { tellAll } from "./in_order.js";
import { say } from "./words.js";

/**
 * @typedef {{x0: Float32Array, name: string, link: string[]}} Digit
 * @typedef {{eps: Float32Array, seed: number}} Noise
 * @typedef {{alphaBar: Float64Array, beta: Float64Array, colour: string, dash: string,
 *   text?: string, link?: string}} Table a schedule, over t
 * @typedef {{t: number, schedule: string, tables: Record<string, Table>, digit: Digit | null, noise: Noise | null,
 *            pixel: {row: number, col: number}, stage: string, dilations: number[] | null, layers: number | null}} State
 * @typedef {Partial<State>} Changes
 */

/** @type {State} */
export const state = {
  t: 300,
  schedule: "linear", // a key of tables
  tables: {}, // name -> {alphaBar, beta}: Float64Array over t; name "custom" also has its text
  digit: null, // {x0: Float32Array, name, link}
  noise: null, // {eps: Float32Array, seed}
  pixel: { row: 14, col: 14 }, // chosen on the Receptive-field tab
  stage: "blocks.0", // chosen on the Network tab
  dilations: null, // chosen on the Receptive-field tab; null is the formula's
  layers: null, // how many layers before the last its map shows, from 0; null until it has been counted
};
/** @type {Set<(changes: Changes) => void>} */
const listeners = new Set();

/**
 * Change some of it, and tell everyone which.
 * @param {Changes} changes
 */
export function update(changes) {
  Object.assign(state, changes);
  if (!state.tables[state.schedule]) state.schedule = "linear";
  const last = (state.tables[state.schedule]?.alphaBar.length ?? 1000) - 1;
  if (state.t > last) {
    state.t = last;
    changes = { ...changes, t: last };
  }
  tellAll(listeners, changes);
}

/**
 * Call `paint(changes)` on every change while `element` stands on the open tab, and once when its tab opens after some.
 * The observer remembers whether it does: asking the element itself would make the browser lay out the page each time.
 * @param {Element} element
 * @param {(changes: Changes) => void} paint
 */
export function subscribe(element, paint) {
  let shown = true;
  /** @type {Changes | null} */
  let missed = null;
  listeners.add((changes) => {
    if (shown) paint(changes);
    else missed = { ...missed, ...changes };
  });
  new IntersectionObserver(
    (entries) => {
      shown = entries[entries.length - 1].isIntersecting;
      if (!shown || !missed) return;
      const changes = missed;
      missed = null;
      paint(changes);
    },
    { rootMargin: "100000px" },
  ).observe(element); // however far it is scrolled away, only a closed tab hides it
}

/** The digit and the noise, for a part of the page that is there only once they are. */
export function known() {
  const { digit, noise } = state;
  if (!digit || !noise) throw new Error(say("the Noise tab has not loaded its digit and noise yet"));
  return { digit, noise };
}

/** alpha_bar at the shared t, by the shared schedule or another one. */
export const alphaBarAt = (t = state.t, name = state.schedule) => state.tables[name].alphaBar[t];

/** x_t = sqrt(alpha_bar) x0 + sqrt(1 - alpha_bar) eps (Ho et al. 2020, equation 4). */
export function mixture(alphaBar = alphaBarAt()) {
  const { digit, noise: drawn } = known();
  const { x0 } = digit,
    { eps } = drawn;
  const signal = Math.sqrt(alphaBar),
    noise = Math.sqrt(1 - alphaBar);
  const x_t = new Float32Array(x0.length);
  for (let i = 0; i < x_t.length; i++) x_t[i] = signal * x0[i] + noise * eps[i];
  return x_t;
}

/**
 * Turn what Python sent into a change of the shared state; every part of it may be missing.
 * @param {Record<string, any>} value
 */
export function readValue(value) {
  /** @type {Record<string, any>} */
  const changes = {};
  if (value.digit) changes.digit = { ...value.digit, x0: decodeFloat32(value.digit.x0) };
  if (value.noise) changes.noise = { ...value.noise, eps: decodeFloat32(value.noise.eps) };
  if (value.tables) {
    const decoded = Object.entries(value.tables).map(([name, table]) => [
      name,
      { ...table, alphaBar: decodeFloat64(table.alpha_bar), beta: decodeFloat64(table.beta) },
    ]);
    changes.tables = { ...state.tables, ...Object.fromEntries(decoded) };
  }
  for (const name of ["t", "schedule", "pixel", "stage", "dilations"]) {
    if (value[name] !== undefined) changes[name] = value[name];
  }
  return /** @type {Changes} */ (changes);
}
