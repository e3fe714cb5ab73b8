// What a student has guessed and answered: kept in this browser and nowhere else.
const KEY = "ddpm-lessons";
const empty = () => ({ lessons: {}, test: {} });
let data = empty();
let working = true;

/** A lesson's key: its name with # for its number, which changes when another lesson comes before it. */
const keyOf = (name) => name.replace(/^\d+-/, "#");

/** Read what was kept before; a browser may refuse, and then it is kept for as long as the page is open. */
export function recall() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
    if (plain(found) && plain(found.lessons) && plain(found.test)) {
      const lessons = Object.entries(found.lessons).map(([name, record]) => [keyOf(name), record]);
      data = { ...found, lessons: Object.fromEntries(lessons) };
    }
    localStorage.setItem(KEY, JSON.stringify(data));
  } catch {
    working = false;
  }
}
export const storageWorks = () => working;

export function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(data));
  } catch {
    working = false;
  }
}
export function forgetAll() {
  data = empty();
  keep();
}

/** The record of a lesson: {phase, draft, prediction, task, kept, truth, answers, correct}. */
export function recordOf(name) {
  data.lessons[keyOf(name)] ??= { phase: "predict", task: 0, kept: {}, answers: [], first: null };
  return data.lessons[keyOf(name)];
}
export const hasRecord = (name) => Boolean(data.lessons[keyOf(name)]);
export function startAgain(name) {
  delete data.lessons[keyOf(name)];
  keep();
}

/**
 * The record of a test, `when` it is taken one of `TESTS`: {answers: {item: key}, order, kept, lessons (that were done
 * then), at (when it was handed in, milliseconds)}, and once it has been checked {results, score, total, chance}.
 */
export function testOf(when) {
  if (!data.test[when] || Array.isArray(data.test[when].answers)) data.test[when] = { answers: {} }; // or of an older page
  return data.test[when];
}
export const scoreOf = (when) => data.test[when]?.score;
/** When the three tests are taken: before the lessons, after them, and a week or two later. */
export const TESTS = /** @type {const} */ (["before", "after", "later"]);
/** How many lessons are done. */
export const lessonsDone = () => Object.values(data.lessons).filter((record) => record.phase === "done").length;

/** Whether a lesson was finished between the first two tests, of which both have been checked. */
export const learnedBetween = () => data.test.after?.lessons > data.test.before?.lessons;

/**
 * (after - before) / (total - before), Hake 1998; null while a score is missing, nothing was left to gain, or there was no
 * lesson that it could be the gain of.
 */
export function normalisedGain() {
  const before = data.test.before,
    after = data.test.after;
  if (before?.score === undefined || after?.score === undefined || before.score === before.total) return null;
  return learnedBetween() ? (after.score - before.score) / (before.total - before.score) : null;
}

/** Whole days from the second test to the third; null if one was not taken here, or by a page that kept no times. */
export function daysBetween() {
  const days = (data.test.later?.at - data.test.after?.at) / 86_400_000;
  return Number.isFinite(days) ? Math.max(0, Math.floor(days)) : null;
}
/** Whether a lesson was finished between the last two tests. */
export const learnedSince = () => data.test.later?.lessons > data.test.after?.lessons;

/** How many of the right answers that the lessons have added are still there: {gained, stayed}; null where nothing can be said. */
export function whatStayed() {
  const [before, after, later] = TESTS.map(scoreOf);
  if (later === undefined || !learnedBetween() || learnedSince() || after <= before) return null;
  return { gained: after - before, stayed: Math.min(Math.max(later - before, 0), after - before) };
}

/** What the student wants to be called in the file of results; empty at first. */
export const nameKept = () => (typeof data.name === "string" ? data.name : "");
export function keepName(/** @type {string} */ name) {
  data.name = name;
  keep();
}
export const stateOf = (name) =>
  !hasRecord(name) ? "new" : data.lessons[keyOf(name)].phase === "done" ? "done" : "begun";
