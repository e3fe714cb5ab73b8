// The workers of a page: networks are loaded into all of them, and a film's images are shared among them.
import { say } from "../words.js";
import { PIXELS } from "./network.js";

const MOST_WORKERS = 8;

/** How many workers are worth it: one core is the page's own. */
export const crewSize = (cores = navigator.hardwareConcurrency || 2) => Math.max(1, Math.min(MOST_WORKERS, cores - 1));

/**
 * The build of net.c that this browser runs best, compiled. Throws an Error if it runs none.
 * @param {(name: string) => Promise<BufferSource>} bytesOf the bytes of "net.wasm" or "net_relaxed.wasm"
 */
export async function compiledNetwork(bytesOf) {
  const build = relaxedSimd() ? "net_relaxed.wasm" : "net.wasm";
  return WebAssembly.compile(await bytesOf(build));
}

/** Whether this browser has relaxed SIMD: by a module of one function, of which one instruction is new. */
export function relaxedSimd() {
  // (module (func (result v128) (f32x4.relaxed_madd (v128.const 0) ...)))
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0];
  const zero = [65, 0, 253, 15]; // i32.const 0, i8x16.splat
  const body = [0, ...zero, ...zero, ...zero, 253, 133, 2, 11];
  return WebAssembly.validate(new Uint8Array([...head, 10, body.length + 2, 1, body.length, ...body]));
}

/**
 * A step of a whole film, as `walk` yields it; pictures (n, 28, 28).
 * @typedef {import("./walk.js").Step} Step
 */

export class Crew {
  /**
   * @param {WebAssembly.Module} module see `compiledNetwork`
   * @param {(number: number) => Worker} makeWorker a worker that runs worker.js
   * @param {number} [size]
   */
  constructor(module, makeWorker, size = crewSize()) {
    this._module = module;
    /** @type {Map<number, {take: (data: any) => void, fail: (error: Error) => void}>} */
    this._tasks = new Map();
    this._last = 0;
    /** @type {Map<string, Promise<void>>} */
    this._loaded = new Map();
    this._workers = Array.from({ length: size }, (_, number) => {
      const worker = makeWorker(number);
      worker.onmessage = ({ data }) => this._tasks.get(data.task)?.take(data);
      worker.onerror = (event) => this._fail(new Error(event.message || say("a worker could not be started")));
      return worker;
    });
  }

  /** How many workers there are. */
  get size() {
    return this._workers.length;
  }

  /** End all workers; what was under way fails. */
  close() {
    for (const worker of this._workers) worker.terminate();
    this._fail(new Error("the workers have been stopped"));
  }

  /**
   * Load a checkpoint into every worker, under a name; once for each name.
   * @param {string} name
   * @param {() => Promise<ArrayBuffer>} bytesOf
   */
  load(name, bytesOf) {
    let loaded = this._loaded.get(name);
    if (!loaded) {
      loaded = bytesOf().then(async (bytes) => {
        const message = { kind: "load", name, module: this._module, bytes };
        await Promise.all(this._workers.map((worker) => this._do(worker, message)));
      });
      this._loaded.set(name, loaded);
      loaded.catch(() => this._loaded.delete(name));
    }
    return loaded;
  }

  /**
   * What a network says of pictures.
   * @param {string} name
   * @param {Float32Array} x_t (n, 28, 28)
   * @param {number} t
   * @returns {Promise<Float32Array>} eps_hat
   */
  async answer(name, x_t, t) {
    return (await this._do(this._workers[0], { kind: "answer", name, x_t, t })).eps_hat;
  }

  /**
   * How long a network takes for one image, in milliseconds.
   * @param {string} name
   */
  async measure(name) {
    return (await this._do(this._workers[0], { kind: "measure", name })).milliseconds;
  }

  /** Let every film rest after its next step, or go on. */
  pause() {
    for (const worker of this._workers) worker.postMessage({ kind: "pause" });
  }
  resume() {
    for (const worker of this._workers) worker.postMessage({ kind: "resume" });
  }

  /**
   * Make a film; `onStep` gets its steps in order. Aborting ends it between two steps; the promise is kept at the end.
   * @param {import("./walk.js").Plan} plan
   * @param {{name: string, guide: string | null}} by the names of loaded networks
   * @param {(step: Step) => void} onStep
   * @param {AbortSignal} [signal]
   */
  async film(plan, by, onStep, signal) {
    const share = Math.min(this.size, plan.n);
    /** @type {(Step[] | undefined)[]} */
    const parts = Array(share).fill(undefined);
    const steps = parts.map(() => /** @type {Step[]} */ ([]));
    /** @param {number} part @param {Step} step */
    const take = (part, step) => {
      steps[part].push(step);
      while (!signal?.aborted && steps.every((each) => each.length))
        onStep(joined(steps.map((each) => /** @type {Step} */ (each.shift()))));
    };
    await Promise.all(
      parts.map((_, part) => {
        const from = Math.floor((part * plan.n) / share),
          count = Math.floor(((part + 1) * plan.n) / share) - from;
        const message = { kind: "film", plan, ...by, from, count };
        return this._do(this._workers[part], message, (step) => take(part, step), signal);
      }),
    );
  }

  /**
   * @param {Worker} worker
   * @param {Record<string, any>} message
   * @param {(step: Step) => void} [onStep]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  _do(worker, message, onStep, signal) {
    const task = ++this._last;
    const stop = () => worker.postMessage({ kind: "stop", task });
    return new Promise((resolve, fail) => {
      this._tasks.set(task, {
        take({ step, done, error }) {
          if (step) onStep?.(step);
          else if (error) fail(new Error(say(error)));
          else resolve(done);
        },
        fail,
      });
      signal?.addEventListener("abort", stop);
      worker.postMessage({ ...message, task });
      if (signal?.aborted) stop();
    }).finally(() => {
      signal?.removeEventListener("abort", stop);
      this._tasks.delete(task);
    });
  }

  /** @param {Error} error */
  _fail(error) {
    for (const { fail } of this._tasks.values()) fail(error);
  }
}

/**
 * The step of all images from those of their parts.
 * @param {Step[]} parts
 * @returns {Step}
 */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  /** @type {(pictures: (Float32Array | null | undefined)[]) => any} */
  const together = (pictures) => {
    if (!pictures[0]) return pictures[0];
    const all = new Float32Array(pictures.reduce((length, each) => length + (each?.length ?? 0), 0));
    let at = 0;
    for (const each of pictures) {
      if (each) all.set(each, at);
      at += each?.length ?? 0;
    }
    return all;
  };
  /** @type {(name: "x_t" | "x0_before" | "z" | "x_s") => any} */
  const of = (name) => together(parts.map((part) => part[name]));
  const guesses = parts[0].guesses.map((guess, k) => {
    /** @type {(find: (guess: import("./walk.js").Guess) => Float32Array | undefined) => any} */
    const each = (find) => together(parts.map((part) => find(part.guesses[k])));
    const answer = {
      eps_hat: each((one) => one.answer.eps_hat),
      model: each((one) => one.answer.model),
      guide: each((one) => one.answer.guide),
    };
    return {
      t: guess.t,
      x: each((one) => one.x),
      answer,
      x0_hat: each((one) => one.x0_hat),
      eps: each((one) => one.eps),
    };
  });
  return { index: parts[0].index, x_t: of("x_t"), guesses, x0_before: of("x0_before"), z: of("z"), x_s: of("x_s") };
}
