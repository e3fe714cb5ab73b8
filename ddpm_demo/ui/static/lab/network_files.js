// Where the network's files are in the lab: in the page itself, or beside it. It stands for ../network_files.js there.
import { facts, fileBytes } from "./facts.js";

export const wasmBytes = fileBytes;
export const weightsBytes = fileBytes;

export function makeWorker() {
  if (facts.files) return new Worker(facts.files["worker.js"]);
  const text = document.getElementById("lab-worker")?.textContent ?? "";
  return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}
