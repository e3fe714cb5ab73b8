// The film that the page has, and where the student is in it: shared by the player, the inspector and the path.
import { decodeBytes, inflateLevels } from "../bytes.js";
import { inOrder, tellAll } from "../in_order.js";
import { say } from "../words.js";

/**
 * One frame's pictures by name: grey bytes of all digits, one digit after the other. `pull` is there in a film that asks
 * for a digit.
 * @typedef {{x_t: Uint8Array, x0_hat: Uint8Array, eps_hat: Uint8Array, pull: Uint8Array | null}} Frame
 * @typedef {{t: number, alpha_bar: number, sigma: number, levels: number, odds: Uint8Array | null}} Step
 * @typedef {{seed: number, n: number, size: number, t: number, bytes: Uint8Array}} Begin the noise it will begin with
 * A film whose floats are on this device, which answers as the server's functions do.
 * @typedef {{inspect: (frame: number, digit: number) => any, trails: (plane: any) => any, flow: () => any,
 *            takeHome: (kind: string, film: Film) => Promise<any>}} OwnFilm
 * @typedef {{run: string | null, seed: number | null, begin: Begin | null, n: number, size: number, total: number,
 *            frames: Frame[], steps: Step[], index: number, digit: number | null, note: string, source: string,
 *            fault: string, remembered: boolean, done: number, device: OwnFilm | null}} Film
 * @typedef {Partial<Film> & {arrived?: boolean, fresh?: boolean}} FilmChanges
 */

/** @type {("x_t" | "x0_hat" | "eps_hat")[]} */
export const PICTURES = ["x_t", "x0_hat", "eps_hat"];
export const CLASSES = 10; // of the odds that a film has which asks for a digit
/** @type {Film} */
export const film = {
  run: null,
  seed: null,
  begin: null,
  n: 0,
  size: 28,
  total: 0,
  frames: [],
  steps: [],
  index: 0,
  digit: null,
  note: "",
  source: "",
  fault: "", // what could not be read of it
  remembered: false,
  done: 0,
  device: null, // the film's floats, if this device has made it; otherwise the server has them
};
/** @type {Set<(changes: FilmChanges) => void>} */
const listeners = new Set();
const next = inOrder(() => setFilm({ fault: say("a part of this film could not be read: its frames are missing") }));

/** Call `listener(changes)` whenever the film, the frame or the digit changes. */
export const onFilm = (/** @type {(changes: FilmChanges) => void} */ listener) => listeners.add(listener);

/**
 * Change some of it, and tell everyone which.
 * @param {FilmChanges} changes
 */
export function setFilm(changes) {
  Object.assign(film, changes);
  tellAll(listeners, changes);
}

/**
 * Take in x_T of a seed, to be shown before there is a film of it; a film that is there has it as its first frame.
 * @param {Record<string, any>} got
 */
export function receiveBegin(got) {
  return next(async () => {
    const known = film.run && film.seed === got.seed && film.n === got.n;
    const { seed, n, size, t } = got;
    setFilm({ begin: known ? null : { seed, n, size, t, bytes: await inflateLevels(got.x_t, got.bits) } });
  });
}

/**
 * Take in a message from the server, if it is still `wanted`; a new run begins a new film.
 * @param {Record<string, any>} got
 */
export function receiveMessage(got, wanted = () => true) {
  return next(async () => {
    if (!wanted()) return;
    const [x_t, x0_hat, eps_hat] = await Promise.all(PICTURES.map((name) => inflateLevels(got[name], got.bits)));
    const fresh = beginIfNew({ ...got, total: got.frames, device: null });
    const length = got.n * got.size * got.size;
    const pull = got.pull ? await inflateLevels(got.pull, got.bits) : null,
      odds = got.odds ? decodeBytes(got.odds) : null;
    got.steps.forEach((/** @type {Step} */ step, /** @type {number} */ k) => {
      const place = got.first + k,
        asked = got.asked_at?.indexOf(k) ?? -1; // outside the interval nothing is asked
      /**
       * @param {Uint8Array | null} all
       * @param {number} each
       */
      const sliceOf = (all, each) => (all && asked >= 0 ? all.subarray(asked * each, (asked + 1) * each) : null);
      const part = (/** @type {Uint8Array} */ all) => all.subarray(k * length, (k + 1) * length);
      film.frames[place] = {
        x_t: part(x_t),
        x0_hat: part(x0_hat),
        eps_hat: part(eps_hat),
        pull: sliceOf(pull, length),
      };
      film.steps[place] = { ...step, levels: 2 ** got.bits, odds: sliceOf(odds, got.n * CLASSES) };
    });
    const note = progressWords(got.progress, got.n);
    setFilm({ begin: null, note, done: got.done, arrived: true, fresh });
  });
}

/**
 * How far the server is with a film of `n` digits, in words; `seconds` are those of computing until now.
 * @param {{made: number, steps: number, seconds: number, left: number}} progress
 * @param {number} n
 */
function progressWords({ made, steps, seconds, left }, n) {
  if (!made) return say("the network is at its first step");
  const rate = seconds ? (n * made) / steps / seconds : 0;
  const told = { made, steps, seconds, pace: (1000 * seconds) / made, rate, left };
  return made < steps
    ? say("step {made} of {steps}, {pace:.0f} ms a step, {rate:.2f} images/s, about {left:.0f} s left", told)
    : say(
        "{steps} step in {seconds:.1f} s of computing, {pace:.0f} ms a step, {rate:.2f} images/s|{steps} steps in {seconds:.1f} s of computing, {pace:.0f} ms a step, {rate:.2f} images/s",
        told,
      );
}

/**
 * Take in frames that this device has made, if they are still `wanted`; a new run begins a new film.
 * @param {{run: string, seed: number, n: number, size: number, total: number, first: number, done: number, note: string,
 *          source: string, device: OwnFilm,
 *          news: {step: {t: number, alpha_bar: number, sigma: number}, pictures: Omit<Frame, "pull">}[]}} got
 */
export function receiveFrames(got, wanted = () => true) {
  return next(() => {
    if (!wanted()) return;
    const fresh = beginIfNew(got);
    got.news.forEach(({ step, pictures }, k) => {
      film.frames[got.first + k] = { ...pictures, pull: null };
      film.steps[got.first + k] = { ...step, levels: 256, odds: null };
    });
    const { note, done, source } = got;
    setFilm({ begin: null, note, done, source, arrived: true, fresh });
  });
}

/** Begin a film, unless it is the one that is there; returns whether it is new. */
function beginIfNew(/** @type {any} */ { run, seed, n, size, total, device }) {
  if (run === film.run) return false;
  Object.assign(film, { run, seed, n, size, total, device, frames: [], steps: [], index: 0, digit: null, fault: "" });
  return true;
}

/** A promise that everything that has come is unpacked. */
export const allReceived = () => next(() => {});

/**
 * The grey bytes of one digit of a frame's picture.
 * @param {number} index
 * @param {"x_t" | "x0_hat" | "eps_hat"} name
 */
export function digitBytes(index, name, digit = film.digit ?? 0) {
  const length = film.size * film.size;
  return film.frames[index][name].subarray(digit * length, (digit + 1) * length);
}
