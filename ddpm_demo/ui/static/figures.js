// Figures as people read them: a share in per cent, never an exponent; `words/sentence.py` writes them alike.
import { number, say } from "./words.js";

const LEAST = 0.001; // per cent that are written; whatever is less is said to be less
const MOST = 99.95;
const LEAST_FIGURE = 1e-6;

/**
 * A share from 0 to 1 in per cent: one decimal, below 1 % more of them, "less than 0.001 %" for a trace.
 * @param {number} share
 */
export function perCent(share) {
  const percent = 100 * share;
  if (percent > 0 && percent < LEAST) return say("less than {percent} %", { percent: LEAST });
  if (percent >= MOST && percent < 100) return say("more than {percent} %", { percent: 99.9 });
  const decimals = percent >= 100 || percent === 0 ? 0 : percent >= 1 ? 1 : percent >= 0.1 ? 2 : 3;
  return say("{percent} %", { percent: number(percent, decimals) });
}

/**
 * A number of so many digits without an exponent: what is too small to be written says so.
 * @param {number} value from 0 on
 */
export function figure(value, digits = 3) {
  if (value !== 0 && value < LEAST_FIGURE) return say("under {least}", { least: LEAST_FIGURE });
  if (value >= 10 ** digits) return number(value);
  return number(value, value.toPrecision(digits).split(".")[1]?.length ?? 0);
}
