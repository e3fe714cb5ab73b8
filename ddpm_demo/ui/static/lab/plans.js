// The plan of a film, out of the tables that Python has written: every number of a step stands in them.
import { decodeFloat64 } from "../bytes.js";
import { facts } from "./facts.js";

/** @typedef {import("./facts.js").Column} Column */
/** @typedef {import("./facts.js").LabSettings} LabSettings */

const alphaBar = decodeFloat64(facts.network.alpha_bar);

/** Whether anything stands in the tables for a sampler with this many steps and this η. */
const keyOf = (/** @type {LabSettings} */ { sampler, eta, steps }) => `${sampler}/${eta}/${steps}`;

/**
 * The numbers of a column, one a step.
 * @param {Column} column
 * @param {number} steps
 * @param {Record<string, number[]>} others columns that it may be equal to, by name
 * @returns {ArrayLike<number>}
 */
function unpacked(column, steps, others) {
  if (typeof column === "number") return Array(steps).fill(column);
  return others[column] ?? decodeFloat64(column);
}

/**
 * The steps of a walk, as films/plan.py gives them.
 * @param {LabSettings} settings
 * @returns {import("../net/walk.js").PlannedStep[]}
 */
export function plannedSteps(settings) {
  const packed = facts.plans[keyOf(settings)],
    t = facts.timesteps[settings.steps],
    s = [...t.slice(1), -1];
  const std = unpacked(packed.std, t.length, {});
  const calls = packed.calls.map(({ steps, columns }) => ({
    steps,
    columns: Object.entries(columns).map(([name, column]) => ({ name, values: unpacked(column, steps, { t, s }) })),
  }));
  return t.map((at, k) => ({
    t: at,
    s: s[k],
    std: std[k],
    calls: calls
      .filter(({ steps }) => k < steps)
      .map(({ columns }) => {
        const call = /** @type {any} */ (Object.fromEntries(columns.map(({ name, values }) => [name, values[k]])));
        return { ...call, alpha_bar: alphaBar[call.t] };
      }),
  }));
}

/**
 * A step's sum: which picture, its words, and its factor (`named_factors` in explaining/written_step.py).
 * @param {LabSettings} settings
 * @param {import("../net/walk.js").PlannedStep} step
 */
function termsOf({ sampler, clip }, { calls, std }) {
  const last = calls[calls.length - 1];
  return Object.entries(facts.samplers[sampler].words[clip][calls.length - 1])
    .map(([picture, name]) => ({
      picture: /** @type {import("../film/device_film.js").Term["picture"]} */ (picture),
      name,
      coefficient: picture === "z" ? std : last[picture] / last.divisor,
    }))
    .filter(({ picture, coefficient }) => coefficient !== 0 || picture === "z");
}

/** A program in Python that draws the same digits. */
function program(/** @type {LabSettings} */ { sampler, steps, eta, clip, n, seed, weight }) {
  const { sampler: kind, variance, final_noise } = facts.samplers[sampler].settings;
  const config =
    `SamplerConfig(kind='${kind}', steps=${steps}, variance='${variance}', final_noise='${final_noise}', ` +
    `clip='${clip}', eta=${Number.isInteger(eta) ? eta.toFixed(1) : eta})`;
  const values = { n, seed, digits: n === 1 ? "digit" : "digits", config, weight };
  const text = isGuided(weight) ? facts.programs.guided : facts.programs.plain;
  return Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(`@${name}@`, String(value)), text);
}

/** Whether the guide has a part: at a weight of 1 it has none. */
const isGuided = (/** @type {number | null} */ weight) => facts.guide !== null && weight !== null && weight !== 1;

/**
 * The whole film as a page with a server is told of it.
 * @param {LabSettings} settings
 * @returns {import("../film/device_film.js").FilmPlan}
 */
export function planOf(settings) {
  const { sampler, steps, eta, clip, n, seed, weight } = settings;
  const guided = isGuided(weight);
  const guidance = guided ? { weight: /** @type {number} */ (weight), first: null, last: 0 } : null;
  const planned = plannedSteps(settings).map((step) => ({ ...step, terms: termsOf(settings, step) }));
  return {
    run: JSON.stringify(settings),
    plan: { seed, n, clip, guidance, steps: planned },
    frames: facts.frames[steps] ?? planned.map((_, k) => k),
    rule: facts.samplers[sampler].formula,
    clean: facts.clips[clip].clean,
    network: facts.network.digest,
    guide: guided ? /** @type {NonNullable<typeof facts.guide>} */ (facts.guide).digest : "",
    only_server: "",
    server: { here: false, seconds: null },
    link: "",
    python: program(settings),
    settings: JSON.stringify({
      checkpoint: facts.network.checkpoint,
      ...facts.samplers[sampler].settings,
      ...{ clip, steps, eta, n, seed },
      ...(guided ? { guide: facts.guide?.name, guide_weight: weight } : { guide: null }),
    }),
  };
}
