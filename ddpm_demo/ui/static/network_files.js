// Where the network's files are: on the server. The lab, which has none, puts lab/network_files.js in this one's place.
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

export const makeWorker = () => new Worker(new URL("./net/worker.js", import.meta.url), { type: "module" });
