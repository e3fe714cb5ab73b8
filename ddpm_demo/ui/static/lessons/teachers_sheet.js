// The teacher's sheet: plans for a class, each lesson with its link and goal, and, for the host, what is right.
import { button, h } from "../dom.js";
import { myKeys } from "../keys.js";
import { addressForOthers, inviteTo, qrCanvas } from "../room.js";
import { askClass, SERVED } from "./live.js";
import { layOver } from "./overlay.js";
import { showSheet } from "./sheet.js";
import { fill } from "../words.js";
import { askUntilDone } from "./words.js";

/**
 * Show the sheet with a link to each lesson that whoever gets the paper can open, if this computer can be reached.
 * @param {Record<string, any>} value the lessons and the plans
 * @param {Record<string, string>} words
 */
export async function showTeachersSheet({ lessons, plans }, words) {
  const app = await addressForOthers(location.href.split(/[?#]/)[0]);
  const linkTo = (/** @type {number} */ number) => `${app}?lesson=${number}`;
  const status = h("p", { role: "status", "data-name": "key-status" });
  const keys = lessons.map(() => h("div", { class: "ddpm-lesson-key" }));
  const show = button(words.sheet_key, showKey, { "data-name": "key" });
  showSheet(
    words.sheet_title,
    words,
    h("p", {}, words.sheet_intro),
    h(
      "div",
      { class: "ddpm-row ddpm-lesson-screen-only", hidden: !SERVED },
      show,
      button(words.sheet_qr, () => showQr(app, words), { "data-name": "qr" }),
    ),
    status,
    h("h2", {}, words.sheet_plans),
    ...plans.map((plan) => planOf(plan, lessons, words)),
    ...lessons.map((lesson, k) =>
      h(
        "article",
        {},
        h("h2", {}, `${k + 1}. ${lesson.title}`),
        h("p", {}, h("a", { href: linkTo(k + 1) }, linkTo(k + 1)), ` · ${fill(words.minutes, lesson)}`),
        ...(lesson.goal ? [h("p", {}, h("b", {}, words.sheet_goal), ` ${lesson.goal}.`)] : []),
        h("p", {}, lesson.opening),
        h("p", {}, h("b", {}, words.sheet_guess), " ", lesson.predict.ask),
        h("p", {}, h("b", {}, words.sheet_do)),
        h("ol", {}, ...lesson.tasks.map((task) => h("li", {}, task.say))),
        h("p", {}, h("b", {}, words.sheet_question), " ", lesson.question.ask),
        keys[k],
      ),
    ),
  );

  /** Ask for the answers lesson by lesson: each is computed now, which may take a minute or two for all. */
  async function showKey() {
    show.disabled = true;
    for (const [k, lesson] of lessons.entries()) {
      status.textContent = fill(words.sheet_key_computing, { number: k + 1, total: lessons.length });
      const answer = await askUntilDone(
        () => askClass("key", { keys: myKeys(), lesson: lesson.name }),
        words.no_answer,
        () => {},
        () => show.isConnected,
      );
      if (!answer) return;
      if (answer.error) {
        status.textContent = answer.error;
        show.disabled = false;
        return;
      }
      keys[k].replaceChildren(...answer.questions.map((question) => keyOf(question, words)));
    }
    status.textContent = words.sheet_key_done;
  }
}

function planOf(plan, lessons, words) {
  const part = ({ minutes, lesson, say }) => {
    const k = lessons.findIndex(({ name }) => name === lesson);
    const named = k < 0 ? "" : fill(words.sheet_plan_lesson, { number: k + 1, title: lessons[k].title });
    return h("li", {}, h("b", {}, fill(words.sheet_plan_minutes, { minutes })), named && ` · ${named}`, ` · ${say}`);
  };
  return h("details", { class: "ddpm-lesson-plan" }, h("summary", {}, plan.title), h("ol", {}, ...plan.part.map(part)));
}

function keyOf({ part, ask, right, why, wrong }, words) {
  return h(
    "div",
    { "data-part": part },
    h("p", {}, h("b", {}, words[`part_${part}`]), `: ${ask}`),
    h("p", {}, h("b", {}, words.sheet_right), ` ${right}. ${why}`),
    ...(wrong.length ? [h("ul", {}, ...wrong.map((each) => h("li", {}, fill(words.sheet_wrong, each))))] : []),
  );
}

/** A QR code that the last row can read. */
function showQr(/** @type {string} */ app, /** @type {Record<string, string>} */ words) {
  const code = qrCanvas("qr-screen"),
    address = h("p", { class: "ddpm-lesson-address" }, app);
  layOver(words.sheet_qr_title, words.close_sheet, h("div", { class: "ddpm-lesson-qr" }, code, address));
  inviteTo(app, code).then((answer) => {
    address.textContent = answer.address ?? answer.alone ?? answer.error;
  });
}
