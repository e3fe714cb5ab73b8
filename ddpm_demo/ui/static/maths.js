// Sets a formula as mathematics: a root reaches over all that is under it, a fraction has its bar, variables are slanted
// and have the colour of what they stand for. What is read aloud, copied or searched stays the text as it is written: a
// sign that the setting makes superfluous, such as the brackets under a root, is kept out of sight only. By CSS, since
// Chrome has MathML from 109 on.
import { h } from "./dom.js";

const WORD = /^(?:\d+(?:[.,]\d+)*|[\p{L}\p{M}₀-₉²′]+(?:_\p{L}|['’]\p{L}+)?)/u; // or a number
const VARIABLE = /^((?:[dpstuvwxyzDNTβεησλh]|[xε]\u0302|ᾱ)[₀-₉ᵢₛₜ²′]*)(?:_(\p{L}))?$/u;
/** The picture is one colour everywhere, the noise another, and what the network makes of them a third. */
const MEANINGS = [
  { of: "picture", symbol: /^x₀/ },
  { of: "noise", symbol: /^[εz][₀-₉ᵢₛₜ′]*$/ },
  { of: "guess", symbol: /^(?:x\u0302|ε\u0302)/ },
];
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {{nodes: Node[], bare: Node[]}} Atom what stands for itself, and what stands for it under a root or a bar */

const plain = (/** @type {Node} */ node) => ({ nodes: [node], bare: [node] });
const unseen = (/** @type {string} */ text) => h("span", { class: "ddpm-unseen" }, text);

/** @param {RegExpExecArray} found a word that is a variable, "x_t" as people type it or "xₜ" as it is set */
function variable([, name, index]) {
  const of = MEANINGS.find(({ symbol }) => symbol.test(name))?.of;
  return h("var", of ? { "data-of": of } : {}, name, ...(index ? [unseen("_"), h("sub", {}, index)] : []));
}

/** @param {Node[]} under */
function root(under) {
  const hook = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    viewBox: "0 0 10 20",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  }))
    hook.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M0 13 L3 11 L6 19 L10 0.5");
  hook.append(line);
  return h("span", { class: "ddpm-root" }, unseen("√"), hook, h("span", { class: "ddpm-under-root" }, ...under));
}

/**
 * @param {Atom} above
 * @param {Atom} below
 */
const fraction = (above, below) =>
  h("span", { class: "ddpm-fraction" }, h("span", {}, ...above.bare), unseen(" / "), h("span", {}, ...below.bare));

/**
 * The nodes of a formula, or of a sentence with one in it, such as "x = xₜ / (√ᾱₜ + √(1 − ᾱₜ))".
 * @param {string} text
 * @returns {Node[]}
 */
export function formula(text) {
  let at = 0;
  /** @returns {Atom} */
  function atom() {
    const word = WORD.exec(text.slice(at))?.[0];
    if (word) {
      at += word.length;
      const found = VARIABLE.exec(word);
      return plain(found ? variable(found) : document.createTextNode(word));
    }
    const sign = text[at++];
    if (sign === "√" && at < text.length) return plain(root(atom().bare));
    if (sign === "(") {
      const inside = sequence();
      if (text[at] !== ")") return plain(h("span", {}, "(", ...inside)); // never closed: as it is written
      at++;
      return {
        nodes: [document.createTextNode("("), ...inside, document.createTextNode(")")],
        get bare() {
          return [unseen("("), ...inside, unseen(")")];
        },
      };
    }
    return plain(document.createTextNode(sign));
  }
  /** @returns {Node[]} */
  function sequence() {
    /** @type {Atom[]} */
    const atoms = [];
    while (at < text.length && text[at] !== ")") {
      const above = atoms.at(-1);
      if (above && text.startsWith(" / ", at) && at + 3 < text.length) {
        at += 3;
        atoms.splice(-1, 1, plain(fraction(above, atom())));
      } else atoms.push(atom());
    }
    return atoms.flatMap(({ nodes }) => nodes);
  }
  /** @type {Node[]} */
  const nodes = [];
  while (at < text.length) {
    nodes.push(...sequence());
    if (at < text.length) nodes.push(document.createTextNode(text[at++])); // a bracket that nothing opened
  }
  return nodes;
}
