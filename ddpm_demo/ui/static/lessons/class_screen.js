// The host's screen of a class: its code, large enough for the last row, how many have answered, and their histogram.
import { button, h, newId } from "../dom.js";
import { myKeys } from "../keys.js";
import { addressForOthers, inviteTo, qrCanvas } from "../room.js";
import { askClass } from "./live.js";
import { layOver } from "./overlay.js";
import { fill } from "../words.js";

const EVERY = 2000; // milliseconds between two looks

/** @param {Record<string, string>} words */
export function showClassScreen(words) {
  const id = newId("class-question");
  let guesses = false,
    truth = false,
    asked = 0; // of the answers that come late the newest question's counts
  const code = h("b", { class: "ddpm-class-code", "data-name": "class-code" }),
    address = h("p", { "data-name": "class-address" }),
    qr = qrCanvas("class-qr"),
    count = h("p", { class: "ddpm-class-count", role: "status", "data-name": "class-count" }),
    note = h("p", { role: "alert" }),
    ask = h("p", { class: "ddpm-lesson-ask" }),
    chart = h("ul", { class: "ddpm-class-rows", "data-name": "class-rows" }),
    kind = h("p", { class: "ddpm-help" });
  const choice = h("select", { id, class: "ddpm-select", onchange: () => begin() });
  const show = button(words.class_guesses, () => turn(!guesses, false), { "data-name": "class-guesses" });
  const lay = button(words.class_truth, () => turn(true, true), { "data-name": "class-truth" });
  const end = button(words.class_close, () => look("close").then(close), { "data-name": "class-close" });
  /** @type {Record<string, any>[]} */
  let questions = [];
  let shown = "";

  const close = layOver(
    words.class_screen,
    words.class_back,
    h(
      "div",
      { class: "ddpm-class" },
      h("div", { class: "ddpm-class-invite" }, h("p", {}, words.class_invite, " ", code), address, qr, end),
      h(
        "div",
        {},
        h("div", { class: "ddpm-row" }, h("label", { for: id }, words.class_question), choice),
        ask,
        count,
        h("div", { class: "ddpm-row" }, show, lay),
        note,
        chart,
        kind,
      ),
    ),
  );
  const here = () => chart.isConnected;

  function turn(withGuesses, withTruth) {
    guesses = withGuesses;
    truth = withTruth;
    show.textContent = guesses ? words.class_hide : words.class_guesses;
    look();
  }
  function begin() {
    chart.replaceChildren();
    shown = "";
    ask.textContent = questions.find(({ name }) => name === choice.value)?.ask ?? "";
    turn(false, false);
  }
  async function look(action = "look") {
    const own = ++asked;
    const question = { action, keys: myKeys(), question: choice.value || null, guesses, truth };
    const answer = await askClass("host", { ...question, questions: !questions.length });
    if (!here() || own !== asked) return;
    note.textContent = answer.error ?? (answer.done === undefined ? "" : words.asking);
    if (!answer.error) await take(answer);
  }
  async function take(answer) {
    if (answer.questions) {
      questions = answer.questions;
      const named = { predict: words.class_predict, question: words.class_one_more };
      choice.replaceChildren(
        ...questions.map(({ name, title, part }) =>
          h("option", { value: name }, fill(named[part] ?? words[`class_${part}`], { title })),
        ),
      );
      ask.textContent = questions[0].ask;
    }
    if (answer.code !== code.textContent) invite(answer.code);
    const answers = answer.answers[choice.value] ?? 0,
      counted = fill(words.class_count, { members: answer.members, answers });
    if (count.textContent !== counted) count.textContent = counted;
    draw(answer.rows ?? []);
  }
  async function invite(/** @type {string} */ now) {
    code.textContent = now;
    const link = `${await addressForOthers(location.origin + location.pathname)}?class=${now}`;
    address.textContent = link;
    const answer = await inviteTo(link, qr);
    if (answer.alone) address.textContent = answer.alone;
  }
  function draw(/** @type {{label: string, share: number, reading: string, truth: boolean | number}[]} */ rows) {
    const now = JSON.stringify(rows);
    if (now === shown) return;
    shown = now;
    const curve = rows.some((row) => typeof row.truth === "number");
    chart.replaceChildren(
      ...rows.map((row) => {
        const bar = h("span", { class: "ddpm-class-bar" }),
          track = h("span", { class: "ddpm-class-track", "aria-hidden": "true" }, bar),
          of = typeof row.truth === "number" ? row.truth : null;
        bar.style.width = `${100 * row.share}%`;
        if (of !== null) {
          const mark = h("span", { class: "ddpm-class-mark" });
          mark.style.left = `${100 * of}%`;
          track.append(mark);
        }
        const said = of === null ? words.class_row : words.class_row_curve;
        return h(
          "li",
          { class: row.truth === true ? "ddpm-lesson-right" : "" },
          h("span", {}, fill(said, { ...row, truth: Math.round(100 * (of ?? 0)) })),
          ...(row.truth === true ? [h("span", { class: "ddpm-lesson-tag ddpm-lesson-true" }, words.the_truth)] : []),
          track,
        );
      }),
    );
    kind.textContent = curve ? words.class_curve : "";
  }
  async function open() {
    const answer = await askClass("host", { action: "look", keys: myKeys() });
    await look(answer.error || answer.code ? "look" : "open");
    const timer = setInterval(() => (here() ? document.hidden || look() : clearInterval(timer)), EVERY);
  }
  open();
}
