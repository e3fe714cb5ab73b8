// What the network makes of x_t, on the first screen beside what x_t was mixed from: the digit and the noise it guesses.
// The stage shows them before there is a network to ask; the panel further down, which asks it, paints them.
import { h } from "../dom.js";
import { paintFloats } from "../paint.js";
import { savableFigure } from "../png.js";
import { say } from "../words.js";

/**
 * @param {string} name
 * @param {string} caption
 */
function makeFrame(name, caption) {
  const canvas = h("canvas", {
    width: 28,
    height: 28,
    role: "img",
    class: "ddpm-pixels",
    "data-name": name,
    "aria-label": caption,
  });
  const element = savableFigure(canvas, caption, name);
  return { canvas, element };
}

const x0_hat = makeFrame("x0_hat", say("guessed digit\u00a0x̂₀")),
  eps_hat = makeFrame("eps_hat", say("guessed noise\u00a0ε̂"));
const group = h(
  "div",
  { class: "ddpm-pair ddpm-guesses ddpm-waiting", role: "group", "aria-label": say("what the network makes of xₜ") },
  x0_hat.element,
  eps_hat.element,
);

export const guesses = {
  element: group,
  /** Say that what stands there answers an older picture, or none. */
  wait: () => group.classList.add("ddpm-waiting"),
  /**
   * @param {Float32Array} digit
   * @param {Float32Array} noise
   */
  show(digit, noise) {
    paintFloats(x0_hat.canvas, digit);
    paintFloats(eps_hat.canvas, noise);
    group.classList.remove("ddpm-waiting");
  },
};
