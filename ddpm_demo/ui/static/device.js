// The network on the visitor's own device: one crew of workers for the whole page, made when something first needs it.
import { compiledNetwork, Crew } from "./net/crew.js";
import { makeWorker, wasmBytes, weightsBytes } from "./network_files.js";

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
    throw new Error("this browser has no WebAssembly");
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
