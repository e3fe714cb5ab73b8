// Where the network's files are, and the plans of films: on the server. The lab, which has none, puts lab/network_files.js in this one's place.
import { rootPath } from "./component.js";
import { say } from "./words.js";

/** @param {URL | string} address */
async function bytesOf(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(say("the server did not give {address}", { address: String(address) }));
  return answer.arrayBuffer();
}

/** The bytes of "net.wasm" or "net_relaxed.wasm". */
export const wasmBytes = (/** @type {string} */ name) => bytesOf(new URL(`./net/${name}`, import.meta.url));

/** A checkpoint's file by its digest, under which the browser keeps it. */
export const weightsBytes = (/** @type {string} */ digest) => bytesOf(`${rootPath()}/ddpm/weights/${digest}`);

/**
 * What the server says of a film for a device that is to make it, as `device_film` in ui/film/device.py says.
 * @param {any} settings
 * @returns {Promise<any>} a FilmPlan of film/device_film.js, or why there is none, in `error`
 */
export const planOf = (settings) => plan({ settings: JSON.stringify(settings) });

/**
 * The same of a race, branches or a completion, by the name that the server has given it.
 * @param {string} run
 * @returns {Promise<any>} a PlannedRun of film/device_run.js
 */
export const planOfRun = (run) => plan({ run });

/** @param {Record<string, string>} question */
async function plan(question) {
  return (await fetch(`${rootPath()}/ddpm/plan?${new URLSearchParams(question)}`)).json();
}

export const makeWorker = () => new Worker(new URL("./net/worker.js", import.meta.url), { type: "module" });
