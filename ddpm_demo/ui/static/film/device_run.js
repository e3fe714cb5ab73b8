// A race, branches or a completion, from this device where it is to make it, and from the server otherwise.
import { planOfRun } from "../network_files.js";
import { openRun } from "../run.js";
import { MAKING, madeIn, notHere, plannedHere } from "./planned_here.js";

/**
 * What the server says of a run for a device that is to make it: `device_run` in ui/film/device.py; and what else its
 * messages say.
 * @typedef {import("../device.js").PlannedWalk & {frames: number[]}} ShownWalk
 * @typedef {{error?: string, only_server: string, server: {here: boolean, seconds: number | null}, walks: ShownWalk[],
 *            [fact: string]: any}} PlannedRun
 *
 * Makes a run from its walks and facts: `take` gets messages as the server sends them, but that pictures are grey bytes; kept when it is whole or
 * has been stopped.
 * @typedef {(planned: {walks: ShownWalk[], [fact: string]: any}, take: (message: any) => void, signal: AbortSignal) => Promise<void>} MakeRun
 *
 * Asks the server which digits it reads in finished pictures: `read_digits` in ui/film/reading.py.
 * @typedef {(digits: Uint8Array) => Promise<{error?: string, classes: number[], of_x0: number, accuracy: number}>} ReadDigits
 */

/**
 * Ask for a run's messages as `openRun` does, wherever they are made; `source` gets a sentence about where that is, "" if
 * there is nothing to say.
 * @param {string} run as the server named it
 * @param {MakeRun} make
 * @param {Parameters<typeof openRun>[1] & {source: (text: string) => void}} on
 * @returns {{close: () => void}}
 */
export function openRunSomewhere(run, make, on) {
  const stop = new AbortController();
  /** @type {ReturnType<typeof openRun> | null} */
  let events = null;
  async function begin() {
    const { planned, why } = await plannedHere(
      () => planOfRun(run),
      ({ walks }) => walks,
    );
    if (stop.signal.aborted) return;
    if (planned && (await madeHere(planned))) return;
    if (stop.signal.aborted) return;
    if (!planned) on.source(why);
    events = openRun(run, on);
  }
  /** @param {PlannedRun} planned */
  async function madeHere({ only_server: _, server: __, ...planned }) {
    const begun = performance.now();
    on.source(MAKING);
    try {
      await make(planned, on.take, stop.signal);
    } catch (error) {
      if (error instanceof NotRead) {
        on.ended(error.message);
        return true;
      }
      on.source(notHere(error));
      return false;
    }
    if (stop.signal.aborted) return true;
    on.source(madeIn((performance.now() - begun) / 1000));
    on.ended("");
    return true;
  }
  begin();
  return {
    close: () => {
      stop.abort();
      events?.close();
    },
  };
}

/** The digits are there, but the server did not read them. */
class NotRead extends Error {}

/**
 * What the server reads; an Error if it does not.
 * @param {ReadDigits} read
 * @param {Uint8Array} digits
 */
export async function makeReading(read, digits) {
  const answer = await read(digits);
  if (answer.error) throw new NotRead(answer.error);
  return answer;
}
