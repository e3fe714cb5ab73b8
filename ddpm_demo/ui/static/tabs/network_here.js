// A network of the page's own device that answers about pictures, as the server's `look` does.
import { answerTo } from "../component.js";
import { decodeFloat64 } from "../bytes.js";
import { loadOnDevice } from "../device.js";
import { chosenPlace } from "../film/where.js";
import { say } from "../words.js";

/**
 * What the server says of a network: see `network_facts` in ui/tabs/noise.py.
 * @typedef {{checkpoint: string, digest: string, alphaBar: Float64Array, held_out: number[] | null,
 *            held_out_digits: number}} Facts
 * @typedef {{facts: Facts, workers: import("../net/crew.js").Crew}} Here
 */

/**
 * Networks by the names of their checkpoints.
 * @param {import("../component.js").Server} server
 */
export function networkHere(server) {
  /** @type {Map<string, Promise<Here | null>>} */
  const asked = new Map();
  /** @type {Map<string, Here>} */
  const ready = new Map();
  let why = "";

  /** @param {string} name */
  async function open(name) {
    try {
      const { error, ...facts } = await answerTo(server.network_facts({ checkpoint: name }));
      if (error) throw new Error(error);
      if (!facts.digest) return null;
      const here = {
        facts: { ...facts, alphaBar: decodeFloat64(facts.alpha_bar) },
        workers: await loadOnDevice(facts.digest),
      };
      ready.set(name, here);
      return here;
    } catch (error) {
      why = say("your device cannot ({why})", { why: /** @type {any} */ (error)?.message ?? error });
      return null;
    }
  }
  /**
   * @param {string} name
   * @param {Float32Array} x_t
   * @param {number} alphaBar of the picture
   */
  async function look(name, x_t, alphaBar) {
    const { facts, workers } = /** @type {Here} */ (ready.get(name));
    const t = closestT(facts.alphaBar, alphaBar),
      size = Math.floor(facts.alphaBar.length / 10),
      tenth = Math.floor((10 * t) / facts.alphaBar.length);
    const begun = performance.now();
    const eps_hat = await workers.answer(facts.digest, x_t, t);
    return {
      here: true,
      eps_hat,
      t,
      milliseconds: performance.now() - begun,
      held_out: facts.held_out ? facts.held_out[tenth] : null,
      held_out_digits: facts.held_out_digits,
      tenth: [tenth * size, tenth * size + size - 1],
      checkpoint: facts.checkpoint,
    };
  }
  /**
   * Fetch a network, unless that has been done; whether it is on this device then.
   * @param {string} name
   */
  async function prepare(name) {
    if (!name || chosenPlace() === "server" || why) return false;
    if (!asked.has(name)) asked.set(name, open(name));
    return Boolean(await asked.get(name));
  }
  return {
    look,
    prepare,
    /** Whether a network can answer at once. */
    ready: (/** @type {string} */ name) => chosenPlace() !== "server" && ready.has(name),
    /** Why this device does not answer, in words; nothing if it does, or nobody wants it to. */
    why: () => (chosenPlace() === "server" ? "" : why),
    /** No network of this device answers any more. */
    giveUp() {
      why = say("your device has given up");
      ready.clear();
    },
    /**
     * The answer, once the network is on this device; null if it will not be.
     * @param {string} name
     * @param {Float32Array} x_t
     * @param {number} alphaBar
     */
    async lookOnceReady(name, x_t, alphaBar) {
      if (!(await prepare(name))) return null;
      return look(name, x_t, alphaBar).catch(() => null);
    },
  };
}

/**
 * The t at which a schedule has as much signal as a picture with this alpha_bar: nearest in log-SNR.
 * @param {Float64Array} table
 * @param {number} alphaBar
 */
export function closestT(table, alphaBar) {
  const logSnr = (/** @type {number} */ a) => Math.log(a / (1 - a)),
    wanted = logSnr(alphaBar);
  let best = 0;
  for (let t = 1; t < table.length; t++)
    if (Math.abs(logSnr(table[t]) - wanted) < Math.abs(logSnr(table[best]) - wanted)) best = t;
  return best;
}
