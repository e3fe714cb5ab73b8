// One lesson: guess, try it on the real tab, see the truth, one question more. What was done before is there again.
import { button, h } from "../dom.js";
import { openTab } from "../open_tab.js";
import { readValue, update } from "../state.js";
import { makeGuess, makeRadios } from "./guess.js";
import { ideaOf } from "./idea.js";
import { keepsakeOf, pictureOf } from "./keepsake.js";
import { likenessOf } from "./likeness.js";
import { keep, recordOf } from "./memory.js";
import { sendAnswer } from "./live.js";
import { keptValue, leadTo, lockParts, soon, watchTask } from "./page_parts.js";
import { fill, inRow } from "../words.js";
import { askUntilDone } from "./words.js";

/**
 * @param {{lesson: Record<string, any>, words: Record<string, string>, server: import("../component.js").Server,
 *          drawings: Record<string, any>, controls: Record<string, string>, watches: Record<string, string>,
 *          onDone: () => void, next: (() => void) | null, again: () => void}} options
 * @returns {{element: HTMLElement, leave: () => void}} `leave` gives the page back to the student
 */
export function makeLesson({ lesson, words, server, drawings, controls, watches, onDone, next, again }) {
  const record = recordOf(lesson.name);
  const body = h("div", { class: "ddpm-lesson-body" });
  const spoken = h("p", { class: "ddpm-spoken", "aria-live": "polite", "data-name": "lesson-spoken" });
  const element = h("div", { class: "ddpm-lesson" }, h("h2", { tabindex: -1 }, lesson.title), body, spoken);
  let open = true,
    release = () => {};

  const say = (text) => {
    spoken.textContent = text;
  };
  const primary = (text, onclick, attributes = {}) =>
    button(text, onclick, { ...attributes, class: "ddpm-button ddpm-lesson-primary" });
  const phases = { predict: showPredict, do: showTask, reveal: showReveal, question: showQuestion, done: showQuestion };
  function go(phase) {
    record.phase = phase;
    keep();
    show();
    body.querySelector("h3")?.focus();
  }
  function show() {
    release();
    release = () => {};
    element.dataset.phase = record.phase;
    phases[record.phase]();
  }
  const heading = (text) => h("h3", { tabindex: -1 }, text);

  function showPredict() {
    const guess = makeGuess(lesson.predict, words, record.draft, (value) => {
      record.draft = value;
      keep();
      commit.disabled = !guess.valid();
    });
    const commit = primary(
      words.commit,
      () => {
        record.prediction = guess.value();
        sendAnswer(`predict ${lesson.name}`, record.prediction);
        record.task = 0;
        server.prepare_truth({ lesson: lesson.name }).catch(() => {}); // computed while the student tries it; asked for again later
        go(lesson.tasks.length ? "do" : "reveal");
        if (lesson.tasks.length) say(words.unlocked);
      },
      { "data-name": "commit" },
    );
    commit.disabled = !guess.valid();
    body.replaceChildren(
      h("p", {}, lesson.opening),
      heading(words.phase_predict),
      h("p", { class: "ddpm-lesson-ask" }, lesson.predict.ask),
      guess.element,
      h("div", { class: "ddpm-row" }, commit),
      h("p", { class: "ddpm-help" }, words.locked),
    );
    release = lockParts(lesson.lock.map((name) => controls[name]));
  }

  function showTask() {
    showTaskAt(false);
  }
  function showTaskAt(press) {
    const task = lesson.tasks[record.task];
    const reveal = (name) => primary(words.reveal, () => go("reveal"), { "data-name": name });
    const skip = button(words.skip, () => go("reveal"), { class: "ddpm-lesson-quiet", "data-name": "skip" });
    const ended = !task;
    if (ended) {
      body.replaceChildren(
        heading(words.phase_do),
        h("p", {}, lesson.predict.ask),
        h("div", { class: "ddpm-row" }, reveal("reveal")),
      );
      return;
    }
    const selector = controls[task.control];
    const forward = () => {
      if (task.keep) record.kept[task.keep] = keptValue();
      record.task += 1;
      keep();
      release();
      showTaskAt(task.watch === "press");
      say(lesson.tasks[record.task]?.say ?? words.reveal);
      body.querySelector("h3")?.focus({ preventScroll: true });
    };
    const doneButton = task.watch
      ? []
      : [primary(task.button || words.task_done, forward, { "data-name": "task-done" })];
    const where = selector
      ? [
          button(
            words.show_me,
            () => {
              openTab(lesson.tab);
              soon(() => leadTo(selector));
            },
            { "data-name": "show-me" },
          ),
        ]
      : [];
    body.replaceChildren(
      heading(words.phase_do),
      h("p", { class: "ddpm-help" }, fill(words.task, { step: record.task + 1, total: lesson.tasks.length })),
      h("p", { class: "ddpm-lesson-ask" }, task.say),
      h("div", { class: "ddpm-row" }, ...doneButton, ...where, skip),
    );
    release = task.watch ? watchTask(task, watches[task.watch], selector, press, forward) : () => {};
    const at = record.task;
    if (selector) soon(() => !open || record.phase !== "do" || record.task !== at || leadTo(selector));
  }

  function waiting() {
    const bar = h("progress", { max: 1, value: 0, "aria-label": words.reveal });
    const note = h("p", { class: "ddpm-help", role: "status" }, words.asking);
    const onProgress = (done) => {
      bar.value = done;
      note.textContent = fill(words.computing, { percent: Math.floor(100 * done) });
    };
    return { element: h("div", {}, bar, note), onProgress };
  }

  async function showReveal() {
    const here = heading(words.phase_reveal);
    if (!record.truth) {
      const wait = waiting();
      body.replaceChildren(here, wait.element);
      const mine = body.firstChild;
      const question = { lesson: lesson.name, prediction: record.prediction, kept: record.kept };
      const answer = await askUntilDone(
        () => server.reveal_truth(question),
        words.no_answer,
        wait.onProgress,
        () => open && body.firstChild === mine,
      );
      if (!answer) return;
      if (answer.error) {
        body.replaceChildren(
          here,
          h("p", { class: "ddpm-note", role: "alert" }, answer.error),
          h(
            "div",
            { class: "ddpm-row" },
            primary(words.reveal, () => go("reveal")),
          ),
        );
        return;
      }
      record.truth = answer;
      keep();
    }
    const { right, words: said, idea, bars, why, pictures } = record.truth;
    const guess = makeGuess(lesson.predict, words, record.prediction, () => {});
    const strip = h("div", { class: "ddpm-lesson-pictures" }, ...pictures.map(pictureOf));
    body.replaceChildren(
      here,
      h("p", { class: "ddpm-lesson-ask" }, lesson.predict.ask),
      guess.element,
      h("p", { class: "ddpm-lesson-said", "data-verdict": record.truth.verdict }, said),
      ...ideaOf(idea, words),
      ...likenessOf(bars, words),
      strip,
      h("h4", {}, words.why),
      h("p", {}, why),
      ...(record.truth.note ? [h("p", { class: "ddpm-help" }, record.truth.note)] : []),
      h(
        "div",
        { class: "ddpm-row" },
        primary(words.to_question, () => go("question"), { "data-name": "to-question" }),
      ),
    );
    guess.lay(right);
    server.prepare_truth({ lesson: lesson.name, question: true }).catch(() => {}); // computed while the student reads
    here.focus();
    say(inRow([said, idea?.refutation ?? "", why]));
  }

  function showQuestion() {
    const { question } = lesson;
    const radios = makeRadios(question.ask, question.choices, record.answers.at(-1), () => {
      check.disabled = false;
    });
    const said = h("div", { class: "ddpm-lesson-said", role: "status" });
    const check = primary(words.check, ask, { "data-name": "check" });
    check.disabled = radios.value() === null;
    const after = h("div", { class: "ddpm-row" });
    const here = heading(words.phase_question);
    const beside = (question.pictures ?? []).map(pictureOf);
    const strip = h("div", { class: "ddpm-lesson-pictures", hidden: !beside.length }, ...beside);
    body.replaceChildren(here, strip, radios.element, h("div", { class: "ddpm-row" }, check), said, after);
    if (record.phase === "done") showDone(record.said);

    async function ask() {
      const answered = radios.value();
      sendAnswer(`question ${lesson.name}`, answered);
      check.disabled = true;
      said.textContent = words.asking;
      const answer = await askUntilDone(
        () => server.check_answer({ lesson: lesson.name, answer: answered }),
        words.no_answer,
        (done) => {
          said.textContent = fill(words.computing, { percent: Math.floor(100 * done) });
        },
        () => open && body.firstChild === here,
      );
      if (!answer) return;
      check.disabled = false;
      if (answer.error) {
        said.textContent = answer.error;
        return;
      }
      record.answers.push(answered);
      record.first ??= answer.correct;
      keep();
      const verdict = h("b", {}, answer.correct ? words.right : words.wrong);
      said.replaceChildren(verdict, " ", answer.words, ...ideaOf(answer.idea, words));
      said.dataset.verdict = answer.correct ? "right" : "wrong";
      if (!answer.correct) return;
      record.said = answer.words;
      record.phase = element.dataset.phase = "done";
      keep();
      showDone(answer.words);
      after.querySelector("button")?.focus(); // the one that was pressed is gone
      onDone();
    }
    function showDone(text) {
      radios.disable();
      check.hidden = true;
      said.replaceChildren(h("b", {}, words.right), " ", text);
      said.dataset.verdict = "right";
      after.replaceChildren(
        h("b", {}, words.done),
        ...keepsakeOf(lesson, record.truth, drawings),
        ...(lesson.leads ? [h("p", { "data-name": "leads" }, lesson.leads)] : []),
        ...(next ? [primary(words.next, next, { "data-name": "next" })] : []),
        button(words.again, again, { "data-name": "again" }),
      );
    }
  }

  async function begin() {
    soon(() => !open || !lesson.tab || openTab(lesson.tab)); // the lab has not every tab
    if (record.phase === "predict") {
      // the screen that the guess is about; later it is the student's own
      const view = await server.lesson_screen({ lesson: lesson.name }).catch(() => ({}));
      if (open && !view.error) update(readValue(view));
    }
  }
  show();
  begin();
  return {
    element,
    leave: () => {
      open = false;
      release();
    },
  };
}
