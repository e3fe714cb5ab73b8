// The film that the page has, and where the student is in it: shared by the player, the inspector and the path.
import { decodeBytes, inflateLevels } from "../bytes.js";

export const PICTURES = ["x_t", "x0_hat", "eps_hat"];
export const CLASSES = 10; // of the odds that a film has which asks for a digit
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
  remembered: false,
  done: 0,
};
const listeners = new Set();
let last = Promise.resolve(); // messages are unpacked one after the other

/** Call `listener(changes)` whenever the film, the frame or the digit changes. */
export const onFilm = (listener) => listeners.add(listener);

/** Change some of it, and tell everyone which. */
export function setFilm(changes) {
  Object.assign(film, changes);
  for (const listener of listeners) listener(changes);
}

/** Take in x_T of a seed, to be shown before there is a film of it; a film that is there has it as its first frame. */
export function receiveBegin(got) {
  last = last.then(async () => {
    const known = film.run && film.seed === got.seed && film.n === got.n;
    setFilm({ begin: known ? null : { ...got, bytes: await inflateLevels(got.x_t, got.bits) } });
  });
  return last;
}

/** Take in a message from the server, if it is still `wanted`; a new run begins a new film. */
export function receiveMessage(got, wanted = () => true) {
  last = last.then(async () => {
    if (!wanted()) return;
    const unpacked = await Promise.all(PICTURES.map((name) => inflateLevels(got[name], got.bits)));
    const fresh = got.run !== film.run;
    if (fresh)
      Object.assign(film, {
        run: got.run,
        seed: got.seed,
        n: got.n,
        size: got.size,
        total: got.frames,
        frames: [],
        steps: [],
        index: 0,
        digit: null,
      });
    const length = got.n * got.size * got.size;
    const pull = got.pull ? await inflateLevels(got.pull, got.bits) : null,
      odds = got.odds ? decodeBytes(got.odds) : null;
    got.steps.forEach((step, k) => {
      const place = got.first + k,
        asked = got.asked_at?.indexOf(k) ?? -1; // outside the interval nothing is asked
      const told = (all, each) => (all && asked >= 0 ? all.subarray(asked * each, (asked + 1) * each) : null);
      film.frames[place] = Object.fromEntries(
        PICTURES.map((name, p) => [name, unpacked[p].subarray(k * length, (k + 1) * length)]),
      );
      film.frames[place].pull = told(pull, length);
      film.steps[place] = { ...step, levels: 2 ** got.bits, odds: told(odds, got.n * CLASSES) };
    });
    setFilm({ begin: null, note: got.note, done: got.done, arrived: true, fresh });
  });
  return last;
}

/** A promise that everything that has come is unpacked. */
export const allReceived = () => last;

/** The grey bytes of one digit of a frame's picture. */
export function digitBytes(index, name, digit = film.digit) {
  const length = film.size * film.size;
  return film.frames[index][name].subarray(digit * length, (digit + 1) * length);
}
