// The test, before and after: all answers first, then all are checked, each against a key computed then.
import { button, h } from "../dom.js";
import { makeRadios } from "./guess.js";
import { keep, testOf } from "./memory.js";
import { askUntilDone, fill } from "./words.js";

/**
 * @param {{items: Record<string, any>[], when: "before" | "after", words: Record<string, string>,
 *          server: import("../component.js").Server, onScore: () => void}} options
 */
export function makeTest({ items, when, words, server, onScore }) {
  const record = testOf(when);
  let open = true;
  const status = h("p", { class: "ddpm-lesson-said", role: "status" });
  const questions = items.map((item, k) => {
    const radios = makeRadios(
      `${fill(words.test_item, { item: k + 1, total: items.length })}. ${item.ask}`,
      item.choices,
      record.answers[k],
      (key) => {
        record.answers[k] = key;
        keep();
      },
    );
    const said = h("p", { class: "ddpm-help", hidden: true });
    return { radios, said, element: h("div", { class: "ddpm-lesson-item" }, radios.element, said) };
  });
  const submit = button(words.test_submit, ask, { class: "ddpm-button ddpm-lesson-primary", "data-name": "submit" });
  const element = h(
    "div",
    { class: "ddpm-lesson" },
    h("h2", { tabindex: -1 }, words[`test_${when}`]),
    h("p", {}, words.test_intro),
    ...questions.map((question) => question.element),
    h("div", { class: "ddpm-row" }, submit),
    status,
  );

  async function ask() {
    const left = items.filter((_, k) => !record.answers[k]).length;
    if (left) {
      status.textContent = fill(words.test_open, { left });
      return;
    }
    submit.disabled = true;
    const results = [];
    for (let k = 0; k < items.length; k++) {
      status.textContent = fill(words.test_checking, { item: k + 1, total: items.length });
      const answer = await askUntilDone(
        () => server.check_test({ item: k, answer: record.answers[k] }),
        words.no_answer,
        () => {},
        () => open,
      );
      if (!answer) return;
      if (answer.error) {
        status.textContent = answer.error;
        submit.disabled = false;
        return;
      }
      results.push(answer);
    }
    Object.assign(record, { results, score: results.filter((answer) => answer.correct).length, total: items.length });
    keep();
    showResults();
    onScore();
  }
  function showResults() {
    submit.hidden = true;
    questions.forEach(({ radios, said }, k) => {
      radios.disable();
      const answer = record.results[k];
      radios.line(answer.right)?.classList.add("ddpm-lesson-right");
      said.hidden = false;
      said.replaceChildren(h("b", {}, answer.correct ? words.right : words.wrong), " ", answer.words);
    });
    status.textContent = fill(words[`test_score_${when}`], { score: record.score, total: record.total });
  }
  if (record.score !== undefined) showResults();
  return {
    element,
    leave: () => {
      open = false;
    },
  };
}
