// A Web Worker with networks of its own: it answers about pictures, and walks some images of a film.
//
// Every message to it has a `task`, a number that its answers bear. Between two steps it looks for messages, so that
// it can stop, pause, or answer a question meanwhile.
import { readCheckpoint } from "./checkpoint.js";
import { Network } from "./network.js";
import { asked, walk } from "./walk.js";

/** @type {Map<string, Network>} */
const networks = new Map();
/** @type {Set<number>} */
const stopped = new Set();
let paused = false;
/** @type {(() => void)[]} */
const sleepers = [];
const wake = () => sleepers.splice(0).forEach((each) => each());

/** @param {string} name */
function network(name) {
  const found = networks.get(name);
  if (!found) throw new Error(`no network ${name} was loaded`);
  return found;
}

// a message to itself: a timer would take 4 ms, and a promise lets no message in
const { port1, port2 } = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
port1.onmessage = () => waiting.shift()?.();
/** @returns {Promise<void>} that is kept once the messages have been looked at that are there */
const messagesTaken = () =>
  new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });

/** @type {Record<string, (message: any) => any>} */
const tasks = {
  /** A network by a name, from its checkpoint's bytes. */
  load({ name, module, bytes }) {
    networks.set(name, new Network(module, readCheckpoint(bytes)));
  },
  /** What a network says of pictures x_t (n, 28, 28). */
  answer({ name, x_t, t }) {
    return { eps_hat: network(name).forward(x_t, t) };
  },
  /** How long a call of the network takes for one image, in milliseconds: the least of three, after one to warm up. */
  measure({ name }) {
    const x = new Float32Array(784);
    const times = [0, 1, 2, 3].map(() => {
      const begin = performance.now();
      network(name).forward(x, 500);
      return performance.now() - begin;
    });
    return { milliseconds: Math.min(...times.slice(1)) };
  },
  /** The images `from` to `from + count` of a plan; every step is a message. */
  async film({ task, plan, name, guide, from, count }) {
    const ask = asked(network(name), guide ? network(guide) : null, plan.guidance);
    for (const step of walk(plan, ask, { from, count })) {
      postMessage({ task, step });
      await messagesTaken();
      while (paused && !stopped.has(task)) await new Promise((resolve) => sleepers.push(() => resolve(null)));
      if (stopped.delete(task)) return { stopped: true };
    }
    return {};
  },
};

/** @param {MessageEvent} event */
onmessage = async ({ data }) => {
  if (data.kind === "stop") {
    stopped.add(data.task);
    wake();
  } else if (data.kind === "pause") paused = true;
  else if (data.kind === "resume") {
    paused = false;
    wake();
  } else
    try {
      postMessage({ task: data.task, done: (await tasks[data.kind](data)) ?? {} });
    } catch (error) {
      postMessage({ task: data.task, error: String(/** @type {any} */ (error).message ?? error) });
    }
};
