// What the classifier takes a noisy digit for: ten bars that move with the film.
import { h } from "../dom.js";
import { say } from "../words.js";
import { CLASSES } from "./film_state.js";

/** Bars for the chosen digit, or the mean of all. */
export function makeOdds() {
  const bars = Array.from({ length: CLASSES }, (_, k) => {
    const fill = h("span", { class: "ddpm-odds-fill" });
    return {
      fill,
      element: h("div", { class: "ddpm-odds-bar" }, h("span", { class: "ddpm-odds-track" }, fill), h("span", {}, k)),
    };
  });
  const words = h("p", { class: "ddpm-small" });
  const element = h(
    "div",
    { class: "ddpm-odds", hidden: true, role: "img" },
    words,
    h("div", { class: "ddpm-odds-bars" }, ...bars.map((bar) => bar.element)),
  );

  /** @param {import("./film_state.js").Film | null} film */
  function show(film) {
    element.hidden = !film;
    if (!film) return;
    // the finished picture has no step of its own: the last one's odds stand beside it
    const step = film.steps[film.index]?.t < 0 ? film.steps[film.index - 1] : film.steps[film.index];
    const odds = step?.odds;
    if (!odds) {
      for (const bar of bars) bar.fill.style.height = "0%";
      words.textContent =
        film.steps[film.index]?.t < 0
          ? say("No digit was asked for at the end, so the classifier did not see it")
          : step && !film.frames[film.index].eps_hat.length
            ? say("The classifier has not been asked yet")
            : say("At t = {t} no digit is asked for: the classifier is not run", { t: step?.t });
      element.setAttribute("aria-label", words.textContent);
      delete element.dataset.best;
      return;
    }
    const who = film.digit === null ? Array.from({ length: film.n }, (_, k) => k) : [film.digit];
    const shares = bars.map(
      (_, k) => who.reduce((sum, digit) => sum + odds[digit * CLASSES + k], 0) / who.length / 255,
    );
    shares.forEach((share, k) => {
      bars[k].fill.style.height = `${100 * share}%`;
    });
    const best = shares.indexOf(Math.max(...shares)),
      percent = 100 * shares[best];
    words.textContent =
      film.digit === null
        ? say("What the classifier takes the noisy pictures for, on average: most of all a {best}, {percent:.0f} %", {
            best,
            percent,
          })
        : say("What the classifier takes noisy digit {digit} for: most of all a {best}, {percent:.0f} %", {
            digit: film.digit + 1,
            best,
            percent,
          });
    element.setAttribute("aria-label", words.textContent);
    element.dataset.best = String(best);
  }
  return { element, show };
}
