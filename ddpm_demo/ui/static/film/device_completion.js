// A completion that this device makes: the walk has the known part put back, and RePaint's jumps, as the plan's numbers.
import { walkOnDevice } from "../device.js";
import { unpackedPlan } from "../net/plan.js";
import { PIXELS } from "../net/network.js";
import { greyLevels } from "../net/walk.js";
import { makeReading } from "./device_run.js";

/**
 * @param {import("./device_run.js").ReadDigits} read
 * @returns {import("./device_run.js").MakeRun}
 */
export const makeCompletion = (read) => async (planned, take, signal) => {
  const { walks, ...facts } = planned,
    [walk] = walks,
    { steps } = walk.plan,
    begun = performance.now();
  let finished = /** @type {Float32Array} */ (new Float32Array(0)),
    step = 0; // of those that are shown: one that is taken again only in the end
  await walkOnDevice(
    walk,
    ({ index, x_s }) => {
      if (steps[index + 1]?.back) return;
      const made = index + 1,
        t = steps[index].s;
      finished = x_s;
      take({
        ...facts,
        first: step++,
        t,
        x_t: greyLevels(x_s),
        calls: made,
        done: made / steps.length,
        seconds: (performance.now() - begun) / 1000,
        ...(t < 0 ? { difference: difference(unpackedPlan(walk.plan).known, x_s) } : {}),
      });
    },
    signal,
  );
  if (!signal.aborted) take(await makeReading(read, greyLevels(finished)));
};

/**
 * The most that pictures differ from what is known.
 * @param {import("../net/walk.js").Plan["known"]} known
 * @param {Float32Array} pictures
 */
function difference(known, pictures) {
  let most = 0;
  if (known)
    pictures.forEach((value, i) => {
      if (known.mask[i % PIXELS]) most = Math.max(most, Math.abs(value - known.x0[i % PIXELS]));
    });
  return most;
}
