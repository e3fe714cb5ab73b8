// The lessons in the lab: the page's own panel, whose answers were computed when the lab was written.
import { encodeFloat32 } from "../bytes.js";
import { mount } from "../lessons/entry.js";
import { noiseOf, testDigit } from "./digits.js";
import { facts } from "./facts.js";
import { revealedHere } from "./judge.js";
import { mounted } from "./mounted.js";

/** @param {HTMLElement} place */
export function buildLessons(place) {
  const { lessons } = facts;
  if (!lessons) return;
  const lessonOf = (/** @type {string} */ name) =>
    lessons.lessons.find((/** @type {any} */ lesson) => lesson.name === name);
  const server = {
    lesson_screen: async (/** @type {any} */ { lesson }) => {
      const { digit, seed, ...rest } = lessonOf(lesson).screen,
        { x0, ...shown } = digit ? testDigit(...digitOf(digit)) : { x0: null };
      return {
        ...rest,
        ...(x0 ? { digit: { ...shown, x0: encodeFloat32(x0) } } : {}),
        ...(seed === undefined ? {} : { noise: { seed, eps: encodeFloat32(noiseOf(seed).eps) } }),
      };
    },
    prepare_truth: async () => ({ done: 1 }),
    reveal_truth: async (/** @type {any} */ { lesson, prediction, kept }) =>
      revealedHere(lessonOf(lesson).predict.kind, lessons.answers[lesson], prediction, kept),
    check_answer: async (/** @type {any} */ { lesson, answer }) => lessons.answers[lesson].question[answer],
    check_test: async (/** @type {any} */ { when, item, answer }) => lessons.tests[when][item][answer],
  };
  mounted(place, "lessons", mount, { value: lessons, server });
}

/** @returns {[number, number]} class and number of a digit that a lesson names, such as 7-0 */
function digitOf(/** @type {string} */ name) {
  const [label, which] = name.split("-").map(Number);
  return [label, which];
}
