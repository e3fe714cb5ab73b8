// Whether this device is to make something, or the server: whichever is quicker, unless the visitor has chosen.
import { loadOnDevice, secondsOnDevice } from "../device.js";
import { say } from "../words.js";
import { chosenPlace } from "./where.js";

/** @typedef {import("../device.js").PlannedWalk} PlannedWalk */

/**
 * The plan of what this device is to make; if the server is to, null, and why in words where there is something to say.
 * @template {{error?: string, only_server: string, server: {here: boolean, seconds: number | null}}} Planned
 * @param {() => Promise<Planned>} ask the server for the plan, as ui/film/device.py gives it
 * @param {(planned: Planned) => PlannedWalk[]} walksOf
 * @returns {Promise<{planned: Planned | null, why: string}>}
 */
export async function plannedHere(ask, walksOf) {
  const place = chosenPlace();
  if (place === "server") return { planned: null, why: "" };
  try {
    const planned = await ask();
    if (planned.error) return { planned: null, why: "" }; // the server says it once more, where everybody looks
    if (planned.only_server)
      return { planned: null, why: say("made by the server: {why}", { why: planned.only_server }) };
    if (place === "automatic" && planned.server.here) return { planned: null, why: "" };
    const walks = walksOf(planned);
    await Promise.all(walks.flatMap(({ network, guide }) => [network, guide].filter(Boolean)).map(loadOnDevice));
    if (place === "device" || planned.server.seconds === null) return { planned, why: "" };
    let seconds = 0;
    for (const walk of walks) seconds += await secondsOnDevice(walk);
    return { planned: seconds <= planned.server.seconds ? planned : null, why: "" };
  } catch (error) {
    return { planned: null, why: say("made by the server: your device cannot ({error})", { error: wordsOf(error) }) };
  }
}

export const MAKING = say("being made on your device");
/** @param {number} seconds */
export const madeIn = (seconds) => say("made on your device, {seconds:.1f} s", { seconds });
/** @param {any} error for which this device has given up */
export const notHere = (error) =>
  say("your device could not make it ({error}): the server makes it", { error: wordsOf(error) });
/** @param {any} error */
export const wordsOf = (error) => String(error?.message ?? error);
