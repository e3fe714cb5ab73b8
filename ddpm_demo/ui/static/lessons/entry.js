// The button that opens the lessons. The rest is fetched when somebody wants it.
import { placeIn } from "../component.js";
import { button, h } from "../dom.js";
import { makeLanguageSwitch, translateGradio } from "../language.js";
import { makePresent } from "../present.js";
import { codeFromLink } from "./live.js";
import { recall, stateOf } from "./memory.js";
import { fill } from "../words.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const value = props.value,
    { words, lessons } = value;
  /** @type {ReturnType<typeof import("./panel.js").makePanel> | null} */
  let panel = null;
  recall();
  const code = codeFromLink();
  const entry = button("", toggle, { class: "ddpm-button ddpm-lessons-entry", "aria-expanded": "false" });
  const mounted = placeIn(element);
  const present = makePresent();
  mounted.replaceChildren(...makeLanguageSwitch(), present.address, present.button, entry);
  translateGradio();

  function describe() {
    const done = lessons.filter((lesson) => stateOf(lesson.name) === "done").length;
    entry.textContent = done ? fill(words.entry_done, { done, total: lessons.length }) : words.entry;
    entry.setAttribute("aria-expanded", String(Boolean(panel && !panel.element.hidden)));
  }
  /** Open the panel: at a lesson by its number, at a test, or at the list. */
  async function open(/** @type {number | null} */ number, /** @type {string | undefined} */ test = undefined) {
    let made = panel;
    if (!made) {
      const { makePanel } = await import("./panel.js");
      made = panel ??= makePanel({
        value,
        server,
        code,
        onChange: describe,
        onClose: () => {
          describe();
          entry.focus();
        },
      });
      if (!made.element.isConnected) mounted.append(made.element);
    }
    if (test) made.openTest(test);
    else made.open(number);
  }
  function toggle() {
    if (panel && !panel.element.hidden) panel.close();
    else open(null);
  }
  describe();
  const address = new URL(location.href).searchParams,
    wanted = address.get("lesson"),
    test = address.get("test");
  // what a sentence or a chat program put around the number is no part of it; without a number the list is shown
  if (code) open(null);
  else if (test !== null && test in value.test) open(null, test);
  else if (wanted) open(Number(wanted.match(/^\D*(\d+)\D*$/)?.[1] ?? NaN));
}
