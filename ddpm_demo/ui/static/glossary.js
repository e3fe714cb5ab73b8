// The glossary: words that sentences of the page use can be tapped, and say in a note what they mean.
//
// Sentences are looked through while the browser has nothing else to do, and only those that can be seen; each word is
// marked once in a tab, a lesson or a part that unfolds. What changes by itself, and what is a name of a control, stays
// as it is: the list at the page's end has all words.
import { makeNote } from "./glossary_note.js";
import { placeIn } from "./component.js";
import { h, isShown } from "./dom.js";
import { whenChanged } from "./when_changed.js";
import { language, say } from "./words.js";

/** @typedef {{name: string, forms: string[], say: string, picture: string | null}} Word */
/** @typedef {{words: Word[], pictures: Record<string, import("./small_drawing.js").Drawing>}} Glossary */

const SENTENCES = "p, li, figcaption, td, .info-text";
const WITHIN = "[role=tabpanel], .ddpm-lessons, dialog"; // the parts of the page that have sentences
const SCOPES = "details, .ddpm-lessons, dialog, [role=tabpanel]"; // in which a word is marked once
const NOT_IN =
  "button, [role=button], a, sub, sup, label, summary, legend, select, svg, code, pre, .katex, math, .ddpm-spoken, .ddpm-facts, .ddpm-equation, " +
  ".ddpm-sum, .ddpm-glossary, [aria-live], [role=status], [role=alert], [role=img], [inert]";
const LIVE = 3; // a sentence that has changed so often changes by itself

/** @type {import("./component.js").Mount} */
export function mount(element, props) {
  /** @type {Glossary} */
  const glossary = props.value;
  placeIn(element).replaceChildren(listOf(glossary));
  markWords(glossary);
}

/**
 * All words, folded up until somebody wants them.
 * @param {Glossary} glossary
 */
export function listOf({ words }) {
  const list = h("dl");
  const details = h(
    "details",
    { class: "ddpm-details ddpm-glossary" },
    h("summary", {}, say("Words and symbols")),
    list,
  );
  details.addEventListener("toggle", () => {
    if (details.open && !list.firstChild)
      list.append(...words.flatMap(({ name, say }) => [h("dt", {}, name), h("dd", {}, say)]));
  });
  return details;
}

const KATAKANA = /(?=\p{L})\p{Script_Extensions=Katakana}/u;
const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}]/u;
const LETTER = /[\p{L}\p{M}\p{N}_]/u; // or a digit, or an accent

/** The kind of letters that make one word where they touch: Chinese and Japanese have no spaces that would tell words. */
function kindOf(/** @type {string} */ character) {
  if (KATAKANA.test(character)) return "katakana";
  return LETTER.test(character) && !WITHOUT_SPACES.test(character) ? "letter" : "";
}

/**
 * Whether a form that stands in a text is a word there, and not a part of one: t is none in don't.
 * @param {string} text
 * @param {number} at
 * @param {string} form
 */
function isWhole(text, at, form) {
  const [before, after] = [text.charAt(at - 1), text.charAt(at + form.length)];
  if (before === "-" || (form.length === 1 && /['’]/.test(before)) || after === "₋") return false;
  const joined = (/** @type {string} */ left, /** @type {string} */ right) =>
    kindOf(left) !== "" && kindOf(left) === kindOf(right);
  return !joined(before, form[0]) && !joined(form.slice(-1), after);
}

/**
 * Find the forms of words in a text, the longest where several begin.
 * @param {Word[]} words
 * @returns {(text: string) => {at: number, form: string, word: Word}[]}
 */
export function makeFinder(words) {
  /** @type {Map<string, Word>} */
  const known = new Map();
  for (const word of words)
    for (const form of word.forms) {
      if (/^\p{Ll}{2}/u.test(form)) known.set(form[0].toLocaleUpperCase(language) + form.slice(1), word);
      known.set(form, word);
    }
  /** @type {Map<string, string[]>} by their first letter */
  const forms = new Map();
  for (const form of [...known.keys()].sort((a, b) => b.length - a.length))
    forms.set(form[0], [...(forms.get(form[0]) ?? []), form]);
  return (text) => {
    const found = [];
    for (let at = 0; at < text.length; at++) {
      const form = forms.get(text[at])?.find((each) => text.startsWith(each, at) && isWhole(text, at, each));
      if (!form) continue;
      found.push({ at, form, word: /** @type {Word} */ (known.get(form)) });
      at += form.length - 1;
    }
    return found;
  };
}

/** @param {Glossary} glossary */
export function markWords({ words, pictures }) {
  const find = makeFinder(words);
  const note = makeNote();
  /** @type {WeakMap<Element, {text: string | null, changes: number}>} */
  const seen = new WeakMap();
  /** @type {WeakMap<Element, Map<Word, Element>>} */
  const marked = new WeakMap();

  function scopeOf(/** @type {Element} */ element) {
    const scope = element.closest(SCOPES) ?? document.body;
    const found = marked.get(scope) ?? new Map();
    marked.set(scope, found);
    return found;
  }
  function markIn(/** @type {Element} */ sentence) {
    const scope = scopeOf(sentence);
    const texts = document.createTreeWalker(sentence, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (texts.nextNode()) nodes.push(/** @type {Text} */ (texts.currentNode));
    for (const node of nodes) {
      if (node.parentElement?.closest(NOT_IN)) continue;
      // from behind, so that the places before stay
      const all = find(node.data);
      const fresh = all.filter(
        ({ word }, k) => !scope.get(word)?.isConnected && all.findIndex((other) => other.word === word) === k,
      );
      for (const { at, form, word } of fresh.reverse()) {
        const rest = node.splitText(at);
        rest.data = rest.data.slice(form.length);
        // no <button>: a word breaks as the line does, and no style of the page's own buttons meets it
        const button = h("span", { role: "button", tabindex: 0, class: "ddpm-word", "aria-expanded": "false" }, form);
        const open = (/** @type {Event} */ event) => {
          event.preventDefault();
          event.stopPropagation();
          note.toggle(button, word, word.picture ? pictures[word.picture] : null);
        };
        button.addEventListener("click", open);
        button.addEventListener("keydown", (event) => {
          if (event.key === "Enter" || event.key === " ") open(event);
        });
        rest.before(button);
        scope.set(word, button);
      }
    }
  }
  function look() {
    for (const part of document.querySelectorAll(WITHIN)) {
      if (!isShown(part)) continue;
      for (const sentence of part.querySelectorAll(SENTENCES)) {
        const text = sentence.textContent;
        const before = seen.get(sentence);
        if (before?.text === text || sentence.closest(NOT_IN) || !isShown(sentence)) continue;
        const changes = (before?.changes ?? -1) + 1;
        seen.set(sentence, { text, changes });
        if (changes < LIVE) markIn(sentence);
      }
    }
  }
  whenChanged(look);
}
