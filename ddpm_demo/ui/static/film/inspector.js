// One digit of the film, large, and behind every pixel the sum that made it, in the sampler's own floats.
import { answerTo } from "../component.js";
import { decodeFloat32 } from "../bytes.js";
import { contextOf, h, makeSpoken, number, settled } from "../dom.js";
import { digitBytes, film, onFilm, PICTURES } from "./film_state.js";
import { formula } from "../maths.js";
import { grey, paintFloats, paintGrid } from "../paint.js";
import { makePointable, placeMarker } from "../pointing.js";

const SIZE = 28;
const CAPTIONS = { x_t: "xₜ", x0_hat: "x̂₀", eps_hat: "ε̂ (−3 to 3)", x_s: "xₛ, the next picture" };
const HINT =
  "Point at a pixel, or tap it, to see how it is made; with the keyboard: focus a picture and use the arrows.";

/** Numbers as the server packs them, or as this device has them. */
const floats = (/** @type {any} */ numbers) => (typeof numbers === "string" ? decodeFloat32(numbers) : numbers);

/**
 * The panel; `server.inspect_step` gives the floats of one step of one digit.
 * @param {import("../component.js").Server} server
 */
export function makeInspector(server) {
  /** @type {import("../pointing.js").Place | null} */
  let spot = null;
  /** @type {Record<string, any> | null} */
  let step = null; // the server's answer with its pictures decoded
  const title = h("h2");
  const rule = h("p", { class: "ddpm-help" });
  const sum = h("div", { class: "ddpm-equation ddpm-inspector-sum" }, HINT);
  const spoken = makeSpoken();
  const frames = {
    x_t: makeFrame("x_t"),
    x0_hat: makeFrame("x0_hat"),
    eps_hat: makeFrame("eps_hat"),
    x_s: makeFrame("x_s"),
  };
  const panel = h(
    "section",
    { class: "ddpm-inspector", hidden: true, "aria-label": "pixel inspector" },
    title,
    h("div", { class: "ddpm-pictures ddpm-inspector-row" }, ...Object.values(frames).map((frame) => frame.element)),
    rule,
    sum,
    spoken.element,
  );

  /** @param {keyof typeof CAPTIONS} name */
  function makeFrame(name) {
    const canvas = h("canvas", {
      width: SIZE,
      height: SIZE,
      role: "img",
      tabindex: 0,
      class: "ddpm-pixels",
      "data-name": name,
      "aria-label": CAPTIONS[name],
    });
    const marker = h("span", { class: "ddpm-marker", hidden: true });
    makePointable(canvas, { size: SIZE, current: () => spot, onPick: point, hover: true });
    return {
      canvas,
      marker,
      element: h(
        "figure",
        {},
        h("div", { class: "ddpm-frame" }, canvas, marker),
        h("figcaption", {}, ...formula(CAPTIONS[name])),
      ),
    };
  }
  /** @param {import("../pointing.js").Place} where */
  function point(where) {
    spot = where;
    for (const { marker } of Object.values(frames)) placeMarker(marker, where, SIZE);
    write();
    spoken.say(sum.textContent ?? ""); // of a pixel that was pointed at, not of every frame that plays
  }
  const line = (/** @type {string} */ text) => h("p", {}, ...formula(text));
  const interval = (/** @type {{first: number | null, last: number}} */ { first, last }) =>
    first === null ? `only down to t = ${last}` : `only from t = ${first} to ${last}`;
  const value = (/** @type {number} */ x) => (x < 0 ? `(${number(x, 4)})` : number(x, 4));

  function write() {
    if (!step) return;
    if (!spot) {
      sum.replaceChildren(HINT);
      return;
    }
    const i = spot.row * SIZE + spot.col;
    /** @type {{name: string, coefficient: number, values: Float32Array}[]} */
    const summands = step.terms;
    const terms = summands.map((term) => `${value(term.coefficient)} · ${term.name} ${value(term.values[i])}`);
    const total = summands.reduce((all, term) => all + term.coefficient * term.values[i], 0);
    const made = step.clamped ? Math.min(1, Math.max(-1, total)) : total;
    const clamp = step.clamped ? `, clamped to ${number(made, 4)}` : "";
    const next = film.steps[film.index + 1];
    const shown = next && next.t === step.s ? digitBytes(film.index + 1, "x_t")[i] : null;
    const top = next ? next.levels - 1 : 255;
    const level = Math.round((grey(made) / 255) * top);
    const film_says =
      shown === null
        ? next
          ? `; the film's next frame is t = ${next.t}, further on`
          : ""
        : `; the film's next frame has ${Math.round((shown / 255) * top)}`;
    // outside their interval guide and asking have no part: that is said, and there is nothing to add up
    const said = step.guidance?.guide && step.guidance,
      asked = step.asked?.pull && step.asked;
    const before = said
      ? said.guide[i] + said.weight * (said.model[i] - said.guide[i])
      : asked
        ? step.eps_hat[i] + asked.pull[i]
        : 0;
    const alone = [
      step.guidance && !said ? `the guide takes part ${interval(step.guidance)}` : "",
      step.asked && !asked ? `a ${step.asked.digit} is asked for ${interval(step.asked)}` : "",
    ].filter(Boolean);
    sum.replaceChildren(
      line(`row ${spot.row}, column ${spot.col}:`),
      ...(said
        ? [
            line(
              `ε̂ = ${value(said.guide[i])} + ${said.weight} · (${value(said.model[i])} − ${value(said.guide[i])}) = ${number(before, 4)}: the guide's answer, and from it to the network's and beyond`,
            ),
          ]
        : []),
      ...(asked
        ? [
            line(
              `ε̂ = ${value(before)} − ${value(asked.pull[i])} = ${number(step.eps_hat[i], 4)}: from it ${asked.weight} · √(1 − ᾱ) · ∂ log p(${asked.digit} | xₜ) is taken, the pull towards a ${asked.digit}`,
            ),
          ]
        : []),
      ...(alone.length
        ? [
            line(
              `at t = ${step.t} ${said || asked ? "nothing else changes ε̂" : "ε̂ is the network's own answer"}: ${alone.join(", and ")}`,
            ),
          ]
        : []),
      line(`xₛ = ${terms.join(" + ")}`),
      line(`= ${number(total, 4)}${clamp}, grey level ${level} of ${top}${film_says}`),
    );
    Object.assign(sum.dataset, {
      total: String(made),
      actual: String(step.x_s[i]),
      level: String(level),
      film: shown === null ? "" : String(Math.round((shown / 255) * top)),
    });
  }
  function forget() {
    step = null;
    contextOf(frames.x_s.canvas).clearRect(0, 0, SIZE, SIZE);
    rule.textContent = "";
    delete sum.dataset.total;
    panel.dataset.ready = "";
  }
  const ask = settled(async () => {
    if (film.digit === null || !film.steps[film.index]) return;
    if (film.steps[film.index].t < 0) {
      sum.replaceChildren("This is the finished picture: go one frame back to see how it was made.");
      return;
    }
    const question = { run: film.run, frame: film.index, digit: film.digit };
    const answer = film.device
      ? film.device.inspect(film.index, film.digit)
      : await answerTo(server.inspect_step(question));
    if (question.run !== film.run || question.frame !== film.index || question.digit !== film.digit) return;
    if (answer.error) {
      sum.replaceChildren(answer.error);
      return;
    }
    const said = answer.guidance;
    const guidance = said?.guide ? { ...said, model: floats(said.model), guide: floats(said.guide) } : said;
    const asked = answer.asked?.pull ? { ...answer.asked, pull: floats(answer.asked.pull) } : answer.asked;
    const x_s = floats(answer.x_s);
    step = {
      ...answer,
      guidance,
      asked,
      x_s,
      eps_hat: floats(answer.eps_hat),
      terms: answer.terms.map((/** @type {any} */ term) => ({ ...term, values: floats(term.values) })),
    };
    paintFloats(frames.x_s.canvas, x_s);
    const to = answer.s < 0 ? "the finished picture" : `s = ${answer.s}`;
    rule.replaceChildren(...formula(`From t = ${answer.t} to ${to}: ${answer.rule}. ${answer.clean}.`));
    panel.dataset.ready = `${film.index}`;
    write();
  }, 120);

  onFilm((changes) => {
    if (changes.fresh) forget();
    const frame = film.frames[film.index];
    panel.hidden = film.digit === null;
    if (film.digit === null || !frame) return;
    const where = film.steps[film.index].t < 0 ? "finished" : `t = ${film.steps[film.index].t}`;
    panel.dataset.finished = film.steps[film.index].t < 0 ? "1" : "";
    title.textContent = `Digit ${film.digit + 1} of ${film.n}, ${where}`;
    for (const name of PICTURES)
      if (frame[name].length) paintGrid(frames[name].canvas, digitBytes(film.index, name), 1, SIZE, 0);
    // a message that only brings more of the film changes nothing here
    const key = `${film.run} ${film.index} ${film.digit}`;
    if (panel.dataset.key === key) {
      write();
      return;
    }
    panel.dataset.key = key;
    forget();
    ask();
  });
  return panel;
}
