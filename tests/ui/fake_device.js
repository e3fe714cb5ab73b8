// A device for the page's modules in node: workers that are threads, and a server that gives files and plans.
import fs from "fs";
import { isMainThread, parentPort, Worker as Thread, workerData } from "worker_threads";

if (!isMainThread) {
  Object.assign(globalThis, { onmessage: null, postMessage: (data) => parentPort.postMessage(data) });
  await import(workerData);
  parentPort.on("message", (data) => globalThis.onmessage({ data }));
}

/** A thread that runs a module as a browser's worker does; every one is ended by `endWorkers`. */
class Worker {
  static all = [];
  constructor(url) {
    this.thread = new Thread(new URL(import.meta.url), { workerData: String(url) });
    this.thread.on("message", (data) => this.onmessage({ data }));
    this.thread.on("error", ({ message }) => this.onerror({ message }));
    Worker.all.push(this);
  }
  postMessage(data) {
    this.thread.postMessage(data);
  }
  terminate() {
    this.thread.terminate();
  }
}
export const endWorkers = () => Worker.all.splice(0).forEach((worker) => worker.terminate());

/**
 * Stand a device under the page: `cores` of it, films to be made in a `place`, `plans` by the name of their run and
 * checkpoints' `files` by digest. Returns what is asked of the server, as it is asked.
 */
export function makeDevice({ plans, files, place = "device", cores = 3 }) {
  const asked = [];
  const answers = {
    "/ddpm/plan": (query) => JSON.stringify(plans[query.get("run")]),
    "/ddpm/run": () => "",
  };
  globalThis.Worker = Worker;
  globalThis.localStorage = { getItem: () => place, setItem() {} };
  Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: cores }, configurable: true });
  globalThis.fetch = async (address) => {
    const url = new URL(address, "http://server");
    if (url.protocol === "file:") return new Response(fs.readFileSync(url));
    asked.push(url.pathname);
    const digest = url.pathname.split("/ddpm/weights/")[1];
    if (digest) return new Response(fs.readFileSync(files[digest]));
    return new Response(answers[url.pathname](url.searchParams));
  };
  return asked;
}
