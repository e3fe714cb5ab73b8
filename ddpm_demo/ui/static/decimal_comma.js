// Half of the world writes 0,5. A browser that does not drops the comma without a word as it is typed, and 0,5 becomes 5.
import { say } from "./words.js";

const WHOLE = say("This field takes whole numbers, without a comma.");
const SECOND = say("A number has one comma or point.");
const THOUSANDS = /^[1-9]\d{0,2}[.,]\d{3}$/; // 1,000: a thousand to some, one to others
const WHICH = (/** @type {string} */ text) =>
  say("Is the comma for thousands? Write {whole}, or {fraction} with a point for a fraction.", {
    whole: text.replace(/[.,]/, ""),
    fraction: text.replace(/[.,]/, "."),
  });
const MOVES = /^(Arrow|Home|End|Enter|Escape)/; // keys after which something else is written

/** @type {HTMLInputElement | null} */
let refusing = null; // a field that refused a comma: what is typed behind it, too, would make another number
/** @type {WeakSet<HTMLInputElement>} */
const byComma = new WeakSet(); // fields whose point was typed as a comma

/**
 * Whether a field takes whole numbers only.
 * @param {HTMLInputElement} field
 */
const isWhole = (field) => field.step !== "any" && Number.isInteger(Number(field.step || 1));

/**
 * @param {HTMLInputElement} field
 * @param {string} why
 */
function refuse(field, why) {
  refusing = field;
  field.setCustomValidity(why);
  field.reportValidity();
}

/** @param {InputEvent} event */
function onBeforeInput(event) {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.type !== "number") return;
  if (field === refusing && !event.inputType.startsWith("insert")) forgive();
  const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
  if (field === refusing && text) event.preventDefault();
  if (text.includes(".")) byComma.delete(field);
  const whole = text.includes(",") ? text : byComma.has(field) ? field.value + text : "";
  if (text && THOUSANDS.test(whole)) {
    event.preventDefault();
    refuse(field, isWhole(field) ? WHOLE : WHICH(whole));
    return;
  }
  if (!text.includes(",")) return;
  event.preventDefault();
  const second = text.split(",").length > 2 || (text === "," && field.value.includes("."));
  if (isWhole(field) || second) {
    refuse(field, isWhole(field) ? WHOLE : SECOND);
    return;
  }
  byComma.add(field);
  document.execCommand("insertText", false, text.replace(",", ".")); // the only way that keeps undo and the caret
}

function forgive() {
  refusing?.setCustomValidity("");
  refusing = null;
}

/** Read a comma in any of the page's number fields as the point that it stands for; where there is none, refuse it. */
export function readDecimalCommas() {
  document.addEventListener("beforeinput", onBeforeInput, { capture: true });
  for (const moved of ["focusout", "pointerdown", "keydown"])
    document.addEventListener(
      moved,
      (event) => {
        const writes = event instanceof KeyboardEvent && !event.ctrlKey && !event.metaKey && !MOVES.test(event.key);
        if (!writes) forgive();
      },
      { capture: true },
    );
}
