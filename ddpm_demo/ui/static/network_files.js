// Where the network's files are, and the plans of films: on the server. The lab, which has none, puts lab/network_files.js in this one's place.
import { rootPath } from "./component.js";

/** @param {URL | string} address */
async function bytesOf(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the server did not give ${address}`);
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
export async function planOf(settings) {
  const question = new URLSearchParams({ settings: JSON.stringify(settings) });
  return (await fetch(`${rootPath()}/ddpm/plan?${question}`)).json();
}

export const makeWorker = () => new Worker(new URL("./net/worker.js", import.meta.url), { type: "module" });
