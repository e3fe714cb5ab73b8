// The note that a tapped word opens: beside the word, never over it, and nothing else on the page moves.
import { h, makeSpoken, newId } from "./dom.js";
import { smallDrawing } from "./small_drawing.js";

const GAP = 6; // pixels between a word and its note
const EDGE = 8; // pixels that stay free at the window's edges
/** One note for the whole page; `toggle` opens it at a word, or closes it there. */
export function makeNote() {
  const id = newId("word-note");
  const element = h("div", { class: "ddpm-word-note", role: "note", id, hidden: true });
  const spoken = makeSpoken();
  /** @type {HTMLElement | null} */
  let owner = null;

  function close() {
    if (!owner) return;
    owner.setAttribute("aria-expanded", "false");
    owner.removeAttribute("aria-controls");
    owner = null;
    element.hidden = true;
    spoken.element.textContent = "";
    for (const [deed, listener] of LISTENERS) removeEventListener(deed, listener, true);
  }
  function place() {
    if (!owner?.isConnected) return close();
    const word = owner.getBoundingClientRect();
    if (word.bottom < 0 || word.top > innerHeight || !word.width) return close();
    const below = innerHeight - word.bottom - GAP - EDGE,
      above = word.top - GAP - EDGE;
    element.style.maxHeight = "none";
    const high = element.offsetHeight,
      under = high <= below || below >= above;
    element.style.maxHeight = `${under ? below : above}px`;
    element.style.top = under ? `${word.bottom + GAP}px` : `${word.top - GAP - Math.min(high, above)}px`;
    const most = document.documentElement.clientWidth - element.offsetWidth - EDGE;
    element.style.left = `${Math.max(EDGE, Math.min(word.left, most))}px`;
  }
  function onKey(/** @type {Event} */ event) {
    if (/** @type {KeyboardEvent} */ (event).key !== "Escape") return;
    event.preventDefault(); // a lesson or a dialog behind it stays open
    event.stopPropagation();
    owner?.focus();
    close();
  }
  const inside = (/** @type {Event} */ event) =>
    event.target instanceof Node && (element.contains(event.target) || owner?.contains(event.target));
  const onPress = (/** @type {Event} */ event) => inside(event) || close();
  const onFocus = (/** @type {Event} */ event) => inside(event) || close();
  /** @type {[string, (event: Event) => void][]} */
  const LISTENERS = [
    ["keydown", onKey],
    ["pointerdown", onPress],
    ["focusin", onFocus],
    ["scroll", place],
    ["resize", place],
  ];

  /**
   * @param {HTMLElement} button
   * @param {{name: string, say: string}} word
   * @param {import("./small_drawing.js").Drawing | null} drawing
   */
  function toggle(button, word, drawing) {
    const again = button === owner;
    close();
    if (again) return;
    owner = button;
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", id);
    element.replaceChildren(h("b", {}, word.name), h("p", {}, word.say), ...(drawing ? [smallDrawing(drawing)] : []));
    (button.closest("dialog") ?? document.body).append(element, spoken.element);
    element.hidden = false;
    place();
    spoken.say(`${word.name}: ${word.say}`);
    for (const [deed, listener] of LISTENERS) addEventListener(deed, listener, true);
  }
  return { toggle };
}
