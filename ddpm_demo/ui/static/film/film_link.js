// A link to a film opens the Generate tab, where Python has set the film's settings, and presses Generate: once.
import { placeIn } from "../component.js";
import { openTab } from "../open_tab.js";

const PATIENCE = 300_000; // milliseconds until the tab is there: a busy laptop opens the page slowly, and is not wrong

/** Press Generate, unless somebody has; false while the film that would show the first frames is not there. */
function pressGenerate() {
  /** @type {HTMLButtonElement | null} */
  const start = document.querySelector("#generate-start");
  if (!start || !document.querySelector("#generate-film canvas")) return false;
  if (!start.disabled) start.click();
  return true;
}
/**
 * Try until it works, for as long as a page may take to open.
 * @param {() => boolean} attempt
 */
function soon(attempt) {
  const begun = performance.now();
  const next = () => {
    if (!attempt() && performance.now() - begun < PATIENCE) setTimeout(next, 100);
  };
  next();
}

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch) {
  placeIn(element).replaceChildren();
  let opened = false,
    pressed = false;
  const open = () => {
    if (!opened) soon(() => openTab("generate"));
    opened = true;
  };
  // Python reads the address, also one that was mangled on its way; a whole one need not wait for that
  if (new URL(location.href).searchParams.has("film")) open();
  // and it says so in the same answer that sets the settings: not before, and not for a link that makes no sense
  const answered = () => {
    if (props.value?.open) open();
    if (pressed || !props.value?.press) return;
    pressed = true;
    soon(pressGenerate);
  };
  watch("value", answered);
  answered();
}
