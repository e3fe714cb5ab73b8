// What a screen reader is told of a film by itself: its beginning, its quarters and its end, not each of its frames. The
// rest can be asked for: the frame slider and the pictures say where they stand.
import { h } from "../dom.js";
import { film } from "./film_state.js";

const PARTS = 4;
const QUARTERS = ["begins", "a quarter is made", "half is made", "three quarters are made"];

export function makeHerald() {
  const element = h("p", { class: "ddpm-spoken", role: "status" });
  let told = -1; // the parts of which it was said that they are there
  let fault = "";

  const say = (/** @type {string} */ text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  /** @param {import("./film_state.js").FilmChanges} changes */
  function tell(changes) {
    if (film.fault && film.fault !== fault) say(film.fault);
    fault = film.fault;
    if (!changes.arrived) return;
    if (changes.fresh) told = -1;
    const part = Math.floor(PARTS * film.done);
    if (part <= told) return;
    told = part;
    const digits = film.n === 1 ? "one digit" : `${film.n} digits`;
    say(part < PARTS ? `The film of ${digits}: ${QUARTERS[part]}.` : `The film of ${digits} is finished.`);
  }
  return { element, say, tell };
}
