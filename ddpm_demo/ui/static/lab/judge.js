// What is said of a prediction, out of all that can be said of one: `verdict` and `words_of_reveal` in
// ui/lessons/judging.py, for a page without a server.
import { number } from "../words.js";

/**
 * @typedef {{right: any, why: string, bars: any[], pictures: any[],
 *            said: Record<string, {verdict: string, words: string, idea: Record<string, string>}>}} Outcomes
 */

/**
 * Which of the outcomes a prediction has.
 * @param {string} kind of the prediction
 * @param {any} right
 * @param {number} near
 * @param {any} prediction
 */
export function outcomeOf(kind, right, near, prediction) {
  if (kind === "choice") return prediction;
  if (kind === "rank") return prediction.every((/** @type {string} */ key, k) => key === right[k]) ? "right" : "wrong";
  if (kind === "curve") return rankCorrelation(prediction, right) >= near ? "close" : "far";
  if (Math.abs(prediction - right) <= near) return "close";
  return prediction < right ? "too_low" : "too_high";
}

/**
 * Sentences whose {places:2}, with so many decimals, are filled with numbers that a student has given.
 * @param {string} text
 * @param {Record<string, number>} numbers 0 for what was skipped
 */
export const withNumbers = (text, numbers) =>
  text.replace(/\{(\w+):(\d)\}/g, (_, name, decimals) => number(Number(numbers[name] ?? 0), Number(decimals)));

/**
 * What the page is told of a prediction.
 * @param {string} kind
 * @param {{near: number, outcomes: Outcomes, note: string}} answers
 * @param {any} prediction
 * @param {Record<string, number>} kept
 */
export function revealedHere(kind, { near, outcomes, note }, prediction, kept) {
  const { right, why, bars, pictures, said } = outcomes;
  const numbers = { ...kept, ...(kind === "mark" ? { prediction } : {}) };
  const { verdict, words, idea } = said[outcomeOf(kind, right, near, prediction)],
    filled = Object.entries(idea).map(([name, text]) => [name, withNumbers(text, numbers)]);
  return {
    ...{ right, verdict, words: withNumbers(words, numbers), idea: Object.fromEntries(filled) },
    ...{ why: withNumbers(why, numbers), bars, pictures, note },
  };
}

/**
 * Spearman's rank correlation of two rows of numbers, -1 to 1; 0 if one of them is flat.
 * @param {number[]} first
 * @param {number[]} second
 */
export function rankCorrelation(first, second) {
  const a = ranks(first),
    b = ranks(second),
    mean = (a.length - 1) / 2;
  const sum = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((total, each, k) => total + (each - mean) * (y[k] - mean), 0);
  const spread = Math.sqrt(sum(a, a) * sum(b, b));
  return spread ? sum(a, b) / spread : 0;
}

/** Equal values share the mean of their places. */
const ranks = (/** @type {number[]} */ values) =>
  values.map(
    (value) =>
      values.filter((other) => other < value).length + (values.filter((other) => other === value).length - 1) / 2,
  );
