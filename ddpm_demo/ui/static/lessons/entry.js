// The button that opens the lessons. The rest is fetched when somebody wants it.
import { button, h } from "../dom.js";
import { recall, stateOf } from "./memory.js";
import { fill } from "./words.js";

export function mount(element, props, watch, server) {
  const value = props.value,
    { words, lessons } = value;
  let panel = null;
  recall();
  const entry = button("", toggle, { class: "ddpm-button ddpm-lessons-entry", "aria-expanded": "false" });
  const mounted = element.querySelector(".ddpm-mount");
  mounted.replaceChildren(entry);

  function describe() {
    const done = lessons.filter((lesson) => stateOf(lesson.name) === "done").length;
    entry.textContent = done ? fill(words.entry_done, { done, total: lessons.length }) : words.entry;
    entry.setAttribute("aria-expanded", String(Boolean(panel && !panel.element.hidden)));
  }
  async function open(number) {
    if (!panel) {
      const { makePanel } = await import("./panel.js");
      panel ??= makePanel({
        value,
        server,
        onChange: describe,
        onClose: () => {
          describe();
          entry.focus();
        },
      });
      if (!panel.element.isConnected) mounted.append(panel.element);
    }
    panel.open(number);
  }
  function toggle() {
    if (panel && !panel.element.hidden) panel.close();
    else open(null);
  }
  describe();
  const wanted = Number(new URL(location.href).searchParams.get("lesson"));
  if (wanted) open(wanted);
}
