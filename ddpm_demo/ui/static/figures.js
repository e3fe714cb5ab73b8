// Figures as people read them: a share in per cent, never an exponent; `ui/parts/figures.py` writes them alike.
const LEAST = 0.001; // per cent that are written; whatever is less is said to be less
const MOST = 99.95;

/**
 * A share from 0 to 1 in per cent: one decimal, below 1 % more of them, "less than 0.001 %" for a trace.
 * @param {number} share
 */
export function perCent(share) {
  const percent = 100 * share;
  if (percent === 0) return "0 %";
  if (percent < LEAST) return `less than ${LEAST} %`;
  if (percent >= MOST && percent < 100) return "more than 99.9 %";
  return `${percent.toFixed(percent >= 100 ? 0 : percent >= 1 ? 1 : percent >= 0.1 ? 2 : 3)} %`;
}

/**
 * A number of so many digits without an exponent: what is too small to be written says so.
 * @param {number} value from 0 on
 */
export const figure = (value, digits = 3) =>
  value !== 0 && value < 1e-6 ? "under 0.000001" : value >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
