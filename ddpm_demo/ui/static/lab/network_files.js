// Where the network's files are in the lab: in the page itself. It stands for ../network_files.js there.
import { fileBytes } from "./facts.js";

export const wasmBytes = fileBytes;
export const weightsBytes = fileBytes;

export function makeWorker() {
  const text = document.getElementById("lab-worker")?.textContent ?? "";
  return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}
