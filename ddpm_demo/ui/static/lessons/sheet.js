// What is printed: a student's own results.
import { button, h } from "../dom.js";
import { ideaOf } from "./idea.js";
import { keepsakeOf } from "./keepsake.js";
import {
  daysBetween,
  hasRecord,
  learnedBetween,
  learnedSince,
  normalisedGain,
  recordOf,
  scoreOf,
  stateOf,
  testOf,
  TESTS,
  whatStayed,
} from "./memory.js";
import { layOver } from "./overlay.js";
import { fill } from "../words.js";

/** Lay a page to print over everything. */
export function showSheet(title, words, ...content) {
  const print = button(words.print, () => window.print(), { "data-name": "print" });
  layOver(title, words.close_sheet, { buttons: [print] }, ...content);
}

export function showMyResults(lessons, words, drawings) {
  const done = lessons.filter((lesson) => stateOf(lesson.name) === "done");
  const sayOf = (lesson, value) =>
    lesson.predict.choices.find((choice) => choice.key === value)?.say ??
    (typeof value === "number" ? Math.round(value * 100) / 100 : "");
  showSheet(
    words.mine_title,
    words,
    ...scoreWords(words).map((text) => h("p", {}, text)),
    ...(done.length ? [h("h2", {}, words.kept_title)] : []),
    ...done.flatMap((lesson) => keepsakeOf(lesson, recordOf(lesson.name).truth, drawings)),
    ...lessons.map((lesson, k) => {
      const record = hasRecord(lesson.name) ? recordOf(lesson.name) : {};
      const shown = Array.isArray(record.prediction)
        ? []
        : [h("p", {}, h("b", {}, words.your_guess), " ", String(sayOf(lesson, record.prediction)))];
      return h(
        "article",
        {},
        h("h2", {}, `${k + 1}. ${lesson.title} · ${words[`state_${stateOf(lesson.name)}`]}`),
        ...(record.prediction === undefined ? [] : shown),
        ...(record.truth
          ? [h("p", {}, record.truth.words), ...ideaOf(record.truth.idea, words), h("p", {}, record.truth.why)]
          : []),
      );
    }),
  );
}

/** What is known of the tests: scores, the gain where there are the first two, and what has stayed of it. */
export function scoreWords(words) {
  const has = (when) => scoreOf(when) !== undefined,
    found = TESTS.filter(has);
  const said = found.map((when) => fill(words[`test_score_${when}`], testOf(when)));
  if (found.length) said.push(fill(words.test_chance, testOf(found[0])));
  if (has("after") && has("later")) said.push(...laterWords(words));
  if (!has("before") || !has("after")) return said;
  const gain = normalisedGain();
  if (!learnedBetween()) said.push(words.gain_no_lessons);
  else if (gain !== null) said.push(fill(words.gain, { percent: Math.round(100 * gain), gain: gain.toFixed(2) }));
  else said.push(words.gain_none);
  const stayed = whatStayed();
  if (stayed) said.push(fill(words.later_stayed, stayed));
  return said;
}

/** How long after the second test the third was taken, and what else has happened since. */
function laterWords(words) {
  const days = daysBetween();
  return [
    ...(days === null ? [] : [fill(words.later_days, { days })]),
    ...(learnedSince() ? [words.later_lessons] : []),
  ];
}
