// Branches that this device makes of a digit: all begin at the same noised picture, each with noise of its own.
import { walkOnDevice } from "../device.js";
import { unpackedPlan } from "../net/plan.js";
import { greyLevels } from "../net/walk.js";
import { makeReading } from "./device_run.js";

/**
 * @param {import("./device_run.js").ReadDigits} read
 * @returns {import("./device_run.js").MakeRun}
 */
export const makeBranches = (read) => async (planned, take, signal) => {
  const { walks, ...facts } = planned,
    [walk] = walks,
    begun = performance.now();
  let last = /** @type {Float32Array} */ (new Float32Array(0));
  await walkOnDevice(
    walk,
    ({ x_s }) => {
      last = x_s;
    },
    signal,
  );
  if (signal.aborted) return;
  const seconds = (performance.now() - begun) / 1000,
    branches = greyLevels(last);
  take({
    ...facts,
    x_t: greyLevels(unpackedPlan(walk.plan).start ?? new Float32Array(0)),
    branches,
    seconds,
    ...(await makeReading(read, branches)),
  });
};
