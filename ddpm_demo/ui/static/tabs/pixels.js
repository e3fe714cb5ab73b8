// x0, eps and x_t side by side, on one scale of values, with the sum behind any pixel written out.
import { checkbox, h, makeSpoken, number } from "../dom.js";
import { perCent } from "../figures.js";
import { formula } from "../maths.js";
import { paintFloats } from "../paint.js";
import { savableFigure } from "../png.js";
import { makePointable, placeMarker } from "../pointing.js";
import { alphaBarAt, known, mixture, state } from "../state.js";
import { say } from "../words.js";

const SIZE = 28;

export function makePixels() {
  /** @type {import("../pointing.js").Place | null} */
  let spot = null; // under the pointer or the arrow keys
  const wide = checkbox(say("show the true range (noise leaves −1 to 1; otherwise colours are clipped there)"), () =>
    paint({ noise: true }),
  );
  const low = h("span"),
    high = h("span");
  const scale = h("div", { class: "ddpm-scale" }, low, h("span", { class: "ddpm-ramp" }), high);
  const sum = h("p", { class: "ddpm-equation ddpm-sum" }, hint());
  const spoken = makeSpoken();
  const frames = {
    x0: makeFrame("x0", say("the digit x₀")),
    eps: makeFrame("eps", say("the noise ε")),
    x_t: makeFrame("x_t", say("their mixture xₜ")),
  };

  function hint() {
    return say("Point at a pixel, or tap it, to see its sum; with the keyboard: focus a picture and use the arrows.");
  }

  /**
   * @param {string} name
   * @param {string} caption
   */
  function makeFrame(name, caption) {
    const canvas = h("canvas", {
      width: SIZE,
      height: SIZE,
      role: "img",
      tabindex: 0,
      class: "ddpm-pixels",
      "data-name": name,
    });
    const marker = h("span", { class: "ddpm-marker", hidden: true });
    makePointable(canvas, { size: SIZE, current: () => spot, onPick: inspect, hover: true });
    const frame = h("div", { class: "ddpm-frame" }, canvas, marker);
    return {
      canvas,
      marker,
      frame,
      element: savableFigure(canvas, caption, name, frame),
    };
  }

  /** @param {import("../pointing.js").Place} where */
  function inspect(where) {
    spot = where;
    for (const { marker } of Object.values(frames)) placeMarker(marker, where, SIZE);
    writeSum();
    spoken.say(sum.textContent ?? ""); // not when t plays on
  }
  function writeSum() {
    if (!spot) return;
    const i = spot.row * SIZE + spot.col;
    const alphaBar = alphaBarAt();
    const signal = Math.sqrt(alphaBar),
      noise = Math.sqrt(1 - alphaBar);
    const { digit, noise: drawn } = known();
    const x0 = digit.x0[i],
      eps = drawn.eps[i];
    const words = say("row {row}, column {column}: {sum}", {
      row: spot.row,
      column: spot.col,
      sum:
        `xₜ = ${number(signal, 4)} · (${number(x0)}) + ` +
        `${number(noise, 4)} · (${number(eps)}) = ${number(signal * x0 + noise * eps)}`,
    });
    sum.replaceChildren(...formula(words));
  }

  /**
   * Repaint what the changes touch.
   * @param {{digit?: any, noise?: any}} changes
   */
  function paint(changes) {
    const { digit, noise } = known();
    const { x0 } = digit,
      { eps } = noise;
    let reach = 1;
    if (wide.input.checked) for (const value of eps) reach = Math.max(reach, Math.abs(value));
    if (changes.digit || changes.noise) {
      paintFloats(frames.x0.canvas, x0, -reach, reach);
      paintFloats(frames.eps.canvas, eps, -reach, reach);
      frames.x0.canvas.setAttribute("aria-label", digit.name);
      frames.eps.canvas.setAttribute("aria-label", say("Gaussian noise, seed {seed}", { seed: noise.seed }));
      low.textContent = number(-reach, reach === 1 ? 0 : 1);
      high.textContent = number(reach, reach === 1 ? 0 : 1);
    }
    paintFloats(frames.x_t.canvas, mixture(), -reach, reach);
    frames.x_t.canvas.setAttribute(
      "aria-label",
      say("{digit}, t = {t}, {percent} signal", { digit: digit.name, t: state.t, percent: perCent(alphaBarAt()) }),
    );
    writeSum();
  }
  return { frames, details: h("div", {}, scale, wide.element, sum, spoken.element), paint };
}
