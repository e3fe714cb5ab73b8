// Did the film copy? Beside each finished digit the training digit that is nearest to it, and how far it is.
import { answerTo } from "../component.js";
import { decodeBytes, encodeBytes } from "../bytes.js";
import { h, number } from "../dom.js";
import { paintGrid } from "../paint.js";
import { inRow, say } from "../words.js";
import { digitBytes, film, onFilm } from "./film_state.js";

const COPY = 0.5; // so near, in pixels from 0 to 1, nobody sees a difference

/** @param {import("../component.js").Server} server */
export function makeNearest(server) {
  const words = h(
    "p",
    { class: "ddpm-facts", "aria-live": "polite", "data-name": "nearest" },
    say("There is no film yet."),
  );
  const pairs = h("div", { class: "ddpm-nearest" });
  let shown = /** @type {string | null} */ (null); // the film whose answer stands there, or was asked for

  const pair = (mine, theirs, caption) => {
    const canvas = h("canvas", { class: "ddpm-pixels ddpm-film", role: "img", "aria-label": caption });
    const both = new Uint8Array(mine.length + theirs.length);
    both.set(mine);
    both.set(theirs, mine.length);
    paintGrid(canvas, both, 2, film.size, 2, 2);
    return h("figure", {}, canvas, h("figcaption", {}, caption));
  };
  const tell = (/** @type {string} */ text) => {
    if (words.textContent !== text) words.textContent = text; // once, not with every frame that comes
  };
  async function ask() {
    const { run } = film;
    if (!element.open || !run || run === shown) return;
    if (film.done < 1) {
      tell(say("Wait until the film is complete."));
      return;
    }
    shown = run;
    words.textContent = say("comparing with all that was taught …");
    const got = await answerTo(
      server.nearest_digits(film.device ? { digits: encodeBytes(film.frames[film.frames.length - 1].x_t) } : { run }),
    );
    if (run !== film.run) return;
    if (got.error) {
      shown = null;
      words.textContent = got.error;
      return;
    }
    const pictures = decodeBytes(got.pictures),
      length = film.size * film.size;
    pairs.replaceChildren(
      ...got.distance.map((far, k) =>
        pair(
          digitBytes(film.frames.length - 1, "x_t", k),
          pictures.subarray(k * length, (k + 1) * length),
          far ? number(far, 1) : say("0, a copy"),
        ),
      ),
    );
    const copies = got.distance.filter((far) => far < COPY).length;
    const sorted = [...got.distance].sort((a, b) => a - b),
      middle = sorted[Math.floor(sorted.length / 2)];
    const told = { copies, n: film.n, drawings: got.drawings, middle, unseen: got.unseen, count: got.unseen_digits };
    const sentences = got.drawings
      ? [
          say(
            "{copies} of {n} are copies of one of the {drawings} drawings that were taught. The median distance is {middle:.1f}.",
            told,
          ),
        ]
      : [
          say(
            "{copies} of {n} are copies of a training digit. The median distance is {middle:.1f}; a test digit, which no network was taught, lies {unseen:.1f} from its nearest (median of {count}).",
            told,
          ),
        ];
    if (got.decided !== null)
      sentences.push(
        got.drawings
          ? say(
              "For half of them, one drawing had more than half of all weight from t = {t} on: it was settled long before the end.",
              { t: got.decided },
            )
          : say(
              "For half of them, one training digit had more than half of all weight from t = {t} on: it was settled long before the end.",
              { t: got.decided },
            ),
      );
    words.textContent = inRow(sentences);
    Object.assign(element.dataset, { copies, middle });
  }
  onFilm((changes) => {
    if (film.run !== shown) {
      pairs.replaceChildren();
      shown = null;
      if (!element.open || film.done === 1) tell("");
    }
    if (changes.arrived) ask();
  });
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ddpm-details", "data-name": "nearest", ontoggle: () => ask() },
      h("summary", {}, say("Are they copies? The nearest training digit of each")),
      h(
        "p",
        {},
        say(
          "On the left the film's digit, on the right the training digit that is nearest to it; the number is the distance, " +
            "the root of the sum of squared differences of pixels from 0 to 1.",
        ),
      ),
      words,
      pairs,
    )
  );
  return element;
}
