// Races of the lab: this device makes them all. It stands for ../film/device_run.js there.
import { say } from "../words.js";
import { MAKING, madeIn, wordsOf } from "../film/planned_here.js";

/**
 * Make a run from its walks and facts, which the lab has itself; messages come as on a page with a server.
 * @param {any} planned
 * @param {(planned: any, take: (message: any) => void, signal: AbortSignal) => Promise<void>} make
 * @param {{take: (message: any) => void, source: (text: string) => void, ended: (error: string) => void}} on
 * @returns {{close: () => void}}
 */
export function openRunSomewhere(planned, make, { take, source, ended }) {
  const stop = new AbortController(),
    begun = performance.now();
  source(MAKING);
  make(planned, take, stop.signal).then(
    () => {
      if (stop.signal.aborted) return;
      source(madeIn((performance.now() - begun) / 1000));
      ended("");
    },
    (error) => {
      if (stop.signal.aborted) return;
      source("");
      ended(say("this browser could not make it: {error}", { error: wordsOf(error) }));
    },
  );
  return { close: () => stop.abort() };
}
