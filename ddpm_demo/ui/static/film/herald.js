// What a screen reader is told of a film by itself: its beginning, its quarters and its end, not each of its frames. The
// rest can be asked for: the frame slider and the pictures say where they stand.
import { h } from "../dom.js";
import { say } from "../words.js";
import { film } from "./film_state.js";

const PARTS = 4;
/** What is said of a film of so many digits, by the quarters of it that are there. */
const wordsOf = (/** @type {number} */ n) => [
  say("The film of one digit: begins.|The film of {n} digits: begins.", { n }),
  say("The film of one digit: a quarter is made.|The film of {n} digits: a quarter is made.", { n }),
  say("The film of one digit: half is made.|The film of {n} digits: half is made.", { n }),
  say("The film of one digit: three quarters are made.|The film of {n} digits: three quarters are made.", { n }),
  say("The film of one digit is finished.|The film of {n} digits is finished.", { n }),
];

export function makeHerald() {
  const element = h("p", { class: "ddpm-spoken", role: "status" });
  let told = -1; // the parts of which it was said that they are there
  let fault = "";

  const speak = (/** @type {string} */ text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  /** @param {import("./film_state.js").FilmChanges} changes */
  function tell(changes) {
    if (film.fault && film.fault !== fault) speak(film.fault);
    fault = film.fault;
    if (!changes.arrived) return;
    if (changes.fresh) told = -1;
    const part = Math.floor(PARTS * film.done);
    if (part <= told) return;
    told = part;
    speak(wordsOf(film.n)[part]);
  }
  return { element, say: speak, tell };
}
