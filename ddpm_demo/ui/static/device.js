// The network on the visitor's own device: one crew of workers for the whole page, made when something first needs it.
import { compiledNetwork, Crew } from "./net/crew.js";
import { unpackedPlan } from "./net/plan.js";
import { makeWorker, wasmBytes, weightsBytes } from "./network_files.js";
import { say } from "./words.js";

/**
 * A walk as the server plans it, its pictures packed, with the digests of its networks' files; without a guide "".
 * @typedef {{plan: import("./net/walk.js").Plan, network: string, guide: string}} PlannedWalk
 */

/** @type {Promise<Crew> | null} */
let crew = null;
/** @type {Map<string, Promise<number>>} */
const paces = new Map();

/**
 * The page's workers; the promise is broken where this browser cannot have them.
 * @returns {Promise<Crew>}
 */
export function deviceCrew() {
  if (!crew) {
    crew = makeCrew();
    crew.catch(() => {}); // whoever asks for it is told
  }
  return crew;
}

async function makeCrew() {
  if (typeof WebAssembly !== "object" || typeof Worker !== "function")
    throw new Error(say("this browser has no WebAssembly"));
  return new Crew(await compiledNetwork(wasmBytes), makeWorker);
}

/**
 * Have a network in the workers, by the digest of its checkpoint's file.
 * @param {string} digest
 */
export async function loadOnDevice(digest) {
  const workers = await deviceCrew();
  await workers.load(digest, () => weightsBytes(digest));
  return workers;
}

/**
 * Walk a plan here, all its images; `onStep` gets each step as it is made. The promise is kept when it is whole or has
 * been stopped; it is broken, in words, where this device cannot.
 * @param {PlannedWalk} walk
 * @param {(step: import("./net/walk.js").Step) => void} onStep
 * @param {AbortSignal} signal
 */
export async function walkOnDevice({ plan, network, guide }, onStep, signal) {
  const workers = await loadOnDevice(network);
  if (guide) await loadOnDevice(guide);
  if (signal.aborted) return;
  /** @type {Float32Array} */
  let last = new Float32Array(0);
  const take = (/** @type {import("./net/walk.js").Step} */ step) => {
    last = step.x_s;
    onStep(step);
  };
  await workers.film(unpackedPlan(plan), { name: network, guide: guide || null }, take, signal);
  if (!last.every(Number.isFinite))
    throw new Error(say("the network's pictures are not finite numbers, so there are no digits"));
}

/**
 * How many seconds a walk would take here, once its networks have been measured.
 * @param {PlannedWalk} walk
 */
export async function secondsOnDevice({ plan, network, guide }) {
  const calls = plan.steps.flatMap((step) => step.calls);
  const { last = 0, first = null } = plan.guidance ?? {};
  const guided = guide ? calls.filter(({ t }) => t >= last && t <= (first ?? t)).length : 0;
  const images = Math.ceil(plan.n / Math.min(plan.n, (await deviceCrew()).size));
  const milliseconds = calls.length * (await paceOnDevice(network)) + guided * (guide ? await paceOnDevice(guide) : 0);
  return (images * milliseconds) / 1000;
}

/**
 * Milliseconds that a network takes here for one image; measured at its first use.
 * @param {string} digest
 */
export function paceOnDevice(digest) {
  let pace = paces.get(digest);
  if (!pace) {
    pace = loadOnDevice(digest).then((workers) => workers.measure(digest));
    paces.set(digest, pace);
    pace.catch(() => paces.delete(digest));
  }
  return pace;
}

// a page that nobody sees takes nobody's battery: films rest until it is looked at again
document.addEventListener("visibilitychange", () => {
  crew?.then(
    (workers) => (document.hidden ? workers.pause() : workers.resume()),
    () => {},
  );
});
