// The test before the lessons, and its parallels after them and a week or two later. The answers to the first are only
// kept: both are checked after the second, against keys computed then, since whoever has seen a key remembers it and has
// learned nothing.
import { button, h } from "../dom.js";
import { makeRadios } from "./guess.js";
import { sendAnswer } from "./live.js";
import { ideaOf } from "./idea.js";
import { laterOffer } from "./later.js";
import { keep, lessonsDone, scoreOf, testOf } from "./memory.js";
import { scoreWords } from "./sheet.js";
import { fill, inRow } from "../words.js";
import { askUntilDone } from "./words.js";

/** @typedef {(typeof import("./memory.js").TESTS)[number]} When */
/** @typedef {{ask: string, choices: {key: string, say: string}[]}} Item */

/** The numbers from 0 to below `count` in an order by chance. */
function shuffled(/** @type {number} */ count) {
  const order = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

/** A visitor's own order of a test's items and of their choices, kept with the answers. */
function orderOf(record, /** @type {Item[]} */ items) {
  const fits =
    record.order?.length === items.length &&
    record.order.every(({ item, choices }) => choices.length === items[item]?.choices.length);
  if (!fits)
    record.order = shuffled(items.length).map((item) => ({ item, choices: shuffled(items[item].choices.length) }));
  return record.order;
}

/**
 * @param {{tests: Record<When, Item[]>, dontKnow: string, when: When,
 *          words: Record<string, string>, server: import("../component.js").Server, onScore: () => void}} options
 */
export function makeTest({ tests, dontKnow, when, words, server, onScore }) {
  const items = tests[when],
    record = testOf(when);
  let open = true;
  const status = h("p", { class: "ddpm-lesson-said", role: "status" });
  const questions = orderOf(record, items).map(({ item, choices }, k) => {
    const offered = [
      ...choices.map((number) => items[item].choices[number]),
      { key: dontKnow, say: words.test_dont_know },
    ];
    const legend = `${fill(words.test_item, { item: k + 1, total: items.length })}. ${items[item].ask}`;
    const radios = makeRadios(legend, offered, record.answers[item], (key) => {
      record.answers[item] = key;
      keep();
      sendAnswer(`${when} ${item}`, key);
    });
    const said = h("div", { class: "ddpm-help", hidden: true });
    return {
      item,
      radios,
      said,
      element: h("div", { class: "ddpm-lesson-item", "data-item": item }, radios.element, said),
    };
  });
  const submit = button(words[`test_submit_${when}`], finish, {
    class: "ddpm-button ddpm-lesson-primary",
    "data-name": "submit",
  });
  const element = h(
    "div",
    { class: "ddpm-lesson" },
    h("h2", { tabindex: -1 }, words[`test_${when}`]),
    h("p", {}, when === "later" ? words.later_intro : words.test_intro),
    ...(when === "later" && !testOf("after").kept ? [h("p", { class: "ddpm-note" }, words.later_elsewhere)] : []),
    ...questions.map((question) => question.element),
    h("div", { class: "ddpm-row" }, submit),
    status,
  );

  async function finish() {
    const left = items.filter((_, item) => !record.answers[item]).length;
    if (left) {
      status.textContent = fill(words.test_open, { left });
      return;
    }
    Object.assign(record, { kept: true, lessons: lessonsDone(), at: Date.now() });
    keep();
    if (when === "before" && scoreOf("after") === undefined) {
      showResults();
      return;
    }
    submit.disabled = true;
    for (const each of when === "later" ? [when] : /** @type {const} */ (["before", "after"])) {
      if (!testOf(each).kept || testOf(each).score !== undefined) continue; // whoever took no first test has one score
      if (!(await check(each))) {
        submit.disabled = false;
        return;
      }
    }
    showResults();
    onScore();
  }
  /** Have a test checked, and keep what came of it; false if there was no answer, or nobody waits for it any more. */
  async function check(/** @type {When} */ each) {
    const asked = tests[each],
      results = [];
    for (let item = 0; item < asked.length; item++) {
      status.textContent = fill(words.test_checking, { item: item + 1, total: asked.length });
      const answer = await askUntilDone(
        () => server.check_test({ when: each, item, answer: testOf(each).answers[item] }),
        words.no_answer,
        () => {},
        () => open,
      );
      if (!answer) return false;
      if (answer.error) {
        status.textContent = answer.error;
        return false;
      }
      results.push(answer);
    }
    const score = results.filter((answer) => answer.correct).length,
      chance = Math.round(asked.reduce((sum, { choices }) => sum + 1 / choices.length, 0));
    Object.assign(testOf(each), { results, score, total: asked.length, chance });
    keep();
    return true;
  }
  function showResults() {
    submit.hidden = true;
    for (const { item, radios, said } of questions) {
      radios.disable();
      const answer = record.results?.[item];
      if (!answer) continue;
      radios.line(answer.right)?.classList.add("ddpm-lesson-right");
      said.hidden = false;
      const verdict = h("b", {}, answer.correct ? words.right : words.wrong);
      said.replaceChildren(verdict, " ", answer.words, ...ideaOf(answer.idea, words));
    }
    status.textContent =
      record.score === undefined
        ? words.test_kept
        : fill(words[`test_score_${when}`], { score: record.score, total: record.total });
    if (when === "later" && record.score !== undefined) status.textContent = inRow(scoreWords(words)); // all three
    if (when === "after") element.append(laterOffer(words));
  }
  if (record.score !== undefined || (when === "before" && record.kept)) showResults();
  return {
    element,
    leave: () => {
      open = false;
    },
  };
}
