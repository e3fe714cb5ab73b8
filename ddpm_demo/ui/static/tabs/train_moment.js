// A moment of a training, of which digits or weights were kept.
import { duration } from "../dom.js";
import { say } from "../words.js";

/**
 * What the slider of a training's moments says of one.
 * @param {number | undefined} step none while nothing has been kept
 * @param {Record<number, {seconds: number}>} about what is known of steps
 */
export function momentWords(step, about) {
  if (step === undefined) return say("none yet");
  return about[step]
    ? say("step {step:,}, after {time}", { step, time: duration(about[step].seconds) })
    : say("step {step:,}", { step });
}
