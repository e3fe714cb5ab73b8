// The panel beside the page, or below it on a phone: the list of lessons, one lesson, or the test.
import { button, h, newId } from "../dom.js";
import { showAddress } from "../link.js";
import { makeClassPart } from "./class_part.js";
import { laterOffer } from "./later.js";
import { makeLesson } from "./lesson.js";
import { forgetAll, keepName, nameKept, startAgain, scoreOf, stateOf, storageWorks, testOf } from "./memory.js";
import { resultsTable } from "./results_table.js";
import { scoreWords, showMyResults } from "./sheet.js";
import { showTeachersSheet } from "./teachers_sheet.js";
import { makeTest } from "./test.js";
import { fill } from "../words.js";

/**
 * `value` has the lessons, the test, the words of both, the page's controls by name, and how each is watched.
 * `code` is that of a class, if a link brought one.
 * @param {{value: Record<string, any>, server: import("../component.js").Server, code: string, onChange: () => void,
 *          onClose: () => void}} options
 */
export function makePanel({ value, server, code, onChange, onClose }) {
  const { words, lessons } = value;
  const back = button(words.back, () => showList(true), { "data-name": "back" });
  const fold = button(words.fold, () => setFolded(!element.classList.contains("ddpm-lessons-folded")), {
    "data-name": "fold",
  });
  const place = h("div", { class: "ddpm-lessons-place" });
  const element = h(
    "aside",
    { class: "ddpm-lessons", "aria-label": words.panel, hidden: true },
    h(
      "div",
      { class: "ddpm-row ddpm-lessons-head" },
      back,
      fold,
      button("✕", close, { "aria-label": words.close, title: words.leave, "data-name": "close" }),
    ),
    place,
  );
  let leave = () => {};
  const together = makeClassPart(words, code);

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  function setFolded(folded) {
    element.classList.toggle("ddpm-lessons-folded", folded);
    fold.textContent = folded ? words.unfold : words.fold;
    fold.setAttribute("aria-expanded", String(!folded));
  }
  /** Let the address bring back what is open: a lesson by its number, or a test. */
  function setAddress(/** @type {{lesson?: number, test?: string}} */ opened = {}) {
    const address = new URL(location.href);
    for (const name of /** @type {const} */ (["lesson", "test"]))
      if (opened[name] === undefined) address.searchParams.delete(name);
      else address.searchParams.set(name, String(opened[name]));
    showAddress(address);
  }
  function show(content, { opened = {}, focus = true, leaving = () => {} } = {}) {
    leave();
    leave = leaving;
    setAddress(opened);
    setFolded(false);
    back.hidden = content.classList.contains("ddpm-lessons-list");
    place.replaceChildren(content);
    element.hidden = false;
    document.body.classList.add("ddpm-lessons-open");
    if (focus) content.querySelector("h2").focus();
    onChange();
  }
  function close() {
    leave();
    leave = () => {};
    setAddress();
    place.replaceChildren(); // a lesson that is opened again begins where it was left
    element.hidden = true;
    document.body.classList.remove("ddpm-lessons-open");
    onClose();
  }
  function openLesson(number) {
    const lesson = lessons[number - 1];
    const made = makeLesson({
      lesson,
      words,
      drawings: value.drawings,
      controls: value.controls,
      watches: value.watches,
      server,
      onDone: onChange,
      next: number < lessons.length ? () => openLesson(number + 1) : null,
      again: () => {
        startAgain(lesson.name);
        openLesson(number);
      },
    });
    show(made.element, { opened: { lesson: number }, leaving: made.leave });
  }
  function openTest(when) {
    const made = makeTest({ tests: value.test, dontKnow: value.dont_know, when, words, server, onScore: onChange });
    show(made.element, { opened: { test: when }, leaving: made.leave });
  }
  /** The button that saves the results, and the field for a name: a teacher who collects files can tell them apart. */
  function saveRow() {
    const id = newId("results-name"),
      field = h("input", { id, class: "ddpm-field", value: nameKept(), maxlength: 60, autocomplete: "off" });
    field.addEventListener("input", () => keepName(field.value));
    function save() {
      const content = resultsTable(lessons, value.test, words, field.value.trim());
      const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
      const tail = field.value.trim().replace(/[^\p{L}\p{N}]+/gu, "-");
      h("a", { href: url, download: `lessons${tail && `-${tail}`}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    }
    return h(
      "div",
      { class: "ddpm-row" },
      h("label", { for: id }, words.export_name),
      field,
      button(words.export, save, { "data-name": "csv" }),
    );
  }
  function forget() {
    const usual = button(words.forget, ask, { class: "ddpm-lesson-quiet", "data-name": "forget" });
    const row = h("div", { class: "ddpm-row" }, usual);
    function ask() {
      const no = button(words.forget_no, () => {
        row.replaceChildren(usual);
        usual.focus();
      });
      row.replaceChildren(
        h("span", {}, words.forget_sure),
        button(
          words.forget_yes,
          () => {
            forgetAll();
            showList(true);
          },
          { class: "ddpm-button ddpm-danger" },
        ),
        no,
      );
      no.focus();
    }
    return row;
  }
  /** The introduction, whose own button a phone has no room for once it has been seen. */
  function startScreens() {
    close();
    const start = document.querySelector(".ddpm-intro-start");
    if (start instanceof HTMLElement) start.click();
  }
  function showList(focus) {
    const item = (lesson, k) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: "ddpm-lessons-item",
            "data-state": stateOf(lesson.name),
            onclick: () => openLesson(k + 1),
          },
          h("b", {}, `${k + 1}`),
          h("span", {}, lesson.title),
          h(
            "span",
            { class: "ddpm-help" },
            `${fill(words.minutes, lesson)} · ${words[`state_${stateOf(lesson.name)}`]}`,
          ),
        ),
      );
    show(
      h(
        "div",
        { class: "ddpm-lessons-list" },
        h("h2", { tabindex: -1 }, words.panel),
        h("p", {}, words.intro),
        ...(words.three_screens ? [button(words.three_screens, startScreens, { "data-name": "three-screens" })] : []),
        ...(storageWorks() ? [] : [h("p", { class: "ddpm-note", role: "status" }, words.no_storage)]),
        h("ol", {}, ...lessons.map(item)),
        h("h3", {}, words.test_title),
        h("p", { class: "ddpm-help" }, words.test_intro),
        h(
          "div",
          { class: "ddpm-row" },
          button(words.test_before, () => openTest("before"), { "data-name": "test-before" }),
          button(words.test_after, () => openTest("after"), { "data-name": "test-after" }),
          ...(testOf("after").kept || testOf("later").kept
            ? [button(words.test_later, () => openTest("later"), { "data-name": "test-later" })]
            : []),
        ),
        ...scoreWords(words).map((text) => h("p", { "data-name": "score" }, text)),
        ...(scoreOf("after") === undefined ? [] : [laterOffer(words)]),
        h(
          "div",
          { class: "ddpm-row" },
          button(words.print_mine, () => showMyResults(lessons, words, value.drawings), { "data-name": "mine" }),
          button(words.print_sheet, () => showTeachersSheet(value, words), { "data-name": "sheet" }),
        ),
        saveRow(),
        together.element,
        forget(),
      ),
      { focus },
    );
    if (code) together.focus(); // whoever follows the link of a class wants to join it
    code = "";
  }
  return {
    element,
    close,
    openTest,
    open: (/** @type {number | null} */ number) =>
      number !== null && number >= 1 && number <= lessons.length ? openLesson(number) : showList(true),
  };
}
