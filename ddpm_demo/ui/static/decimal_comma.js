// Half of the world writes 0,5. A browser that does not drops the comma without a word as it is typed, and 0,5 becomes 5.

const WHOLE = "This field takes whole numbers, without a comma.";
const SECOND = "A number has one comma or point.";
const MOVES = /^(Arrow|Home|End|Enter|Escape)/; // keys after which something else is written

/** @type {HTMLInputElement | null} */
let refusing = null; // a field that refused a comma: what is typed behind it, too, would make another number

/**
 * Whether a field takes whole numbers only.
 * @param {HTMLInputElement} field
 */
const isWhole = (field) => field.step !== "any" && Number.isInteger(Number(field.step || 1));

/** @param {InputEvent} event */
function onBeforeInput(event) {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.type !== "number") return;
  if (field === refusing && !event.inputType.startsWith("insert")) forgive();
  const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
  if (field === refusing && text) event.preventDefault();
  if (!text.includes(",")) return;
  event.preventDefault();
  const second = text.split(",").length > 2 || (text === "," && field.value.includes("."));
  if (isWhole(field) || second) {
    refusing = field;
    field.setCustomValidity(isWhole(field) ? WHOLE : SECOND);
    field.reportValidity();
  } else document.execCommand("insertText", false, text.replace(",", ".")); // the only way that keeps undo and the caret
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
