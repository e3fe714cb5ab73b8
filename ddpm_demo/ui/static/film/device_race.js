// A race that this device makes: its lanes one after the other, so that each one's time is its own.
import { joinedBytes } from "../bytes.js";
import { walkOnDevice } from "../device.js";
import { greyLevels } from "../net/walk.js";

const MESSAGE_MILLISECONDS = 100; // from one look at new frames to the next

/** @type {import("./device_run.js").MakeRun} */
export async function makeRace({ walks, lanes, ...facts }, take, signal) {
  const total = walks.reduce((sum, { plan }) => sum + plan.steps.length, 0);
  let made = 0;
  for (const [lane, walk] of walks.entries()) {
    const { steps } = walk.plan,
      shown = new Set(walk.frames),
      begun = performance.now();
    /** @type {Uint8Array[]} */
    let frames = [];
    /** @type {number[]} */
    let t = [];
    let first = 0,
      sentAt = -Infinity;
    await walkOnDevice(
      walk,
      ({ index, x_t, x_s }) => {
        const now = performance.now(),
          last = index === steps.length - 1;
        made += 1;
        if (shown.has(index)) {
          frames.push(greyLevels(x_t));
          t.push(steps[index].t);
        }
        if (!last && now - sentAt < MESSAGE_MILLISECONDS) return;
        const finished = last ? { lane_grey: 0 } : {};
        if (last) {
          frames.push(greyLevels(x_s));
          t.push(-1);
          finished.lane_grey = mean(frames[frames.length - 1]);
        }
        take({
          ...facts,
          ...finished,
          lanes,
          lane,
          first,
          t,
          x_t: joinedBytes(frames),
          seconds: (now - begun) / 1000,
          calls: Math.floor(((index + 1) * lanes[lane].calls) / steps.length),
          done: made / total,
        });
        first += t.length;
        frames = [];
        t = [];
        sentAt = now;
      },
      signal,
    );
    if (signal.aborted) return;
  }
}

const mean = (/** @type {Uint8Array} */ levels) => levels.reduce((sum, level) => sum + level, 0) / levels.length;
