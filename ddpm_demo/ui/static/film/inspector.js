// One digit of the film, large, and behind every pixel the sum that made it, in the sampler's own floats.
import { answerTo } from "../component.js";
import { decodeFloat32 } from "../bytes.js";
import { contextOf, h, makeSpoken, number, reducedMotion, settled } from "../dom.js";
import { digitBytes, film, onFilm, PICTURES } from "./film_state.js";
import { formula } from "../maths.js";
import { grey, paintFloats, paintGrid } from "../paint.js";
import { makePointable, placeMarker } from "../pointing.js";
import { say } from "../words.js";

const SIZE = 28;
const STEP_MILLISECONDS = 700; // in which the picture that a step begins with turns into the one that it makes
const CAPTIONS = { x_t: "xₜ", x0_hat: "x̂₀", eps_hat: say("ε̂ (−3 to 3)"), x_s: say("xₛ, the next picture") };
const HINT = say(
  "Point at a pixel, or tap it, to see how it is made; with the keyboard: focus a picture and use the arrows.",
);

/** @typedef {{first: number | null, last: number}} Held where guidance takes part */

const guideHeld = (/** @type {Held} */ held) =>
  held.first === null
    ? say("the guide takes part only down to t = {last}", held)
    : say("the guide takes part only from t = {first} to {last}", held);
const askingHeld = (/** @type {Held & {digit: number}} */ held) =>
  held.first === null
    ? say("a {digit} is asked for only down to t = {last}", held)
    : say("a {digit} is asked for only from t = {first} to {last}", held);
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
    { class: "ddpm-inspector", hidden: true, "aria-label": say("pixel inspector") },
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
    const clamped = step.clamped ? say("{total:.4f}, clamped to {made:.4f}", { total, made }) : number(total, 4);
    const next = film.steps[film.index + 1];
    const shown = next && next.t === step.s ? digitBytes(film.index + 1, "x_t")[i] : null;
    const top = next ? next.levels - 1 : 255;
    const level = Math.round((grey(made) / 255) * top);
    const shownLevel = shown === null ? "" : Math.round((shown / 255) * top);
    const told = { value: clamped, level, top, shown: shownLevel, t: next?.t };
    const result =
      shown !== null
        ? say("= {value}, grey level {level} of {top}; the film's next frame has {shown}", told)
        : next
          ? say("= {value}, grey level {level} of {top}; the film's next frame is t = {t}, further on", told)
          : say("= {value}, grey level {level} of {top}", told);
    // outside their interval guide and asking have no part: that is said, and there is nothing to add up
    const said = step.guidance?.guide && step.guidance,
      asked = step.asked?.pull && step.asked;
    const before = said
      ? said.guide[i] + said.weight * (said.model[i] - said.guide[i])
      : asked
        ? step.eps_hat[i] + asked.pull[i]
        : 0;
    const alone = [
      step.guidance && !said ? guideHeld(step.guidance) : "",
      step.asked && !asked ? askingHeld(step.asked) : "",
    ].filter(Boolean);
    const apart = { t: step.t, reasons: alone };
    sum.replaceChildren(
      line(say("row {row}, column {column}:", { row: spot.row, column: spot.col })),
      ...(said
        ? [
            line(
              say(
                "ε̂ = {guide} + {weight} · ({model} − {guide}) = {sum:.4f}: the guide's answer, and from it to the network's and beyond",
                { guide: value(said.guide[i]), weight: said.weight, model: value(said.model[i]), sum: before },
              ),
            ),
          ]
        : []),
      ...(asked
        ? [
            line(
              say(
                "ε̂ = {before} − {pull} = {sum:.4f}: from it {weight} · √(1 − ᾱ) · ∂ log p({digit} ∣ xₜ) is taken, the pull towards a {digit}",
                { ...asked, before: value(before), pull: value(asked.pull[i]), sum: step.eps_hat[i] },
              ),
            ),
          ]
        : []),
      ...(alone.length
        ? [
            line(
              said || asked
                ? say("at t = {t} nothing else changes ε̂: {reasons}", apart)
                : say("at t = {t} ε̂ is the network's own answer: {reasons}", apart),
            ),
          ]
        : []),
      line(`xₛ = ${terms.join(" + ")}`),
      line(result),
    );
    Object.assign(sum.dataset, {
      total: String(made),
      actual: String(step.x_s[i]),
      level: String(level),
      film: String(shownLevel),
    });
  }
  /** Show the step as it happens: x_t, from which its noise fades until x_s is left. */
  function turnInto(/** @type {Float32Array} */ x_t, /** @type {Float32Array} */ x_s) {
    const begun = performance.now(),
      of = step,
      whole = reducedMotion() ? 0 : STEP_MILLISECONDS;
    const between = new Float32Array(x_s.length);
    function paint(/** @type {number} */ now) {
      if (step !== of) return; // another one is looked at by now
      const part = whole ? Math.min(1, Math.max(0, now - begun) / whole) : 1;
      for (let i = 0; i < x_s.length; i++) between[i] = x_t[i] + part * (x_s[i] - x_t[i]);
      paintFloats(frames.x_s.canvas, between);
      if (part < 1) requestAnimationFrame(paint);
    }
    paint(begun);
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
      sum.replaceChildren(say("This is the finished picture: go one frame back to see how it was made."));
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
    const x_s = floats(answer.x_s),
      x_t = floats(answer.x_t);
    step = {
      ...answer,
      guidance,
      asked,
      x_s,
      eps_hat: floats(answer.eps_hat),
      terms: answer.terms.map((/** @type {any} */ term) => ({ ...term, values: floats(term.values) })),
    };
    turnInto(x_t, x_s);
    rule.replaceChildren(
      ...formula(
        answer.s < 0
          ? say("From t = {t} to the finished picture: {rule}. {clean}.", answer)
          : say("From t = {t} to s = {s}: {rule}. {clean}.", answer),
      ),
    );
    panel.dataset.ready = `${film.index}`;
    write();
  }, 120);

  onFilm((changes) => {
    if (changes.fresh) forget();
    const frame = film.frames[film.index];
    panel.hidden = film.digit === null;
    if (film.digit === null || !frame) return;
    const at = { digit: film.digit + 1, n: film.n, t: film.steps[film.index].t };
    panel.dataset.finished = at.t < 0 ? "1" : "";
    title.textContent = at.t < 0 ? say("Digit {digit} of {n}, finished", at) : say("Digit {digit} of {n}, t = {t}", at);
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
