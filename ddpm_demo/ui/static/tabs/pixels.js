// x0, eps and x_t side by side, on one scale of values, with the sum behind any pixel written out.
import { checkbox, h, number, pngButton } from "../dom.js";
import { paintFloats } from "../paint.js";
import { makePointable, placeMarker } from "../pointing.js";
import { alphaBarAt, mixture, state } from "../state.js";

const SIZE = 28;

export function makePixels() {
  let spot = null; // {row, col} under the pointer or the arrow keys
  const wide = checkbox("show the true range (noise leaves −1 to 1; otherwise colours are clipped there)", () =>
    paint({ noise: true }),
  );
  const low = h("span"),
    high = h("span");
  const scale = h("div", { class: "ddpm-scale" }, low, h("span", { class: "ddpm-ramp" }), high);
  const sum = h("p", { class: "ddpm-equation ddpm-sum", "aria-live": "polite" }, hint());
  const frames = Object.fromEntries(
    [
      ["x0", "the digit x₀"],
      ["eps", "the noise ε"],
      ["x_t", "their mixture xₜ"],
    ].map(([name, caption]) => [name, makeFrame(name, caption)]),
  );

  function hint() {
    return "Point at a pixel, or tap it, to see its sum; with the keyboard: focus a picture and use the arrows.";
  }

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
    return {
      canvas,
      marker,
      element: h(
        "figure",
        {},
        h("div", { class: "ddpm-frame" }, canvas, marker),
        h(
          "figcaption",
          {},
          caption,
          " ",
          pngButton(canvas, () => name),
        ),
      ),
    };
  }

  function inspect(where) {
    spot = where;
    for (const { marker } of Object.values(frames)) placeMarker(marker, spot, SIZE);
    writeSum();
  }
  function writeSum() {
    if (!spot) return;
    const i = spot.row * SIZE + spot.col;
    const alphaBar = alphaBarAt();
    const signal = Math.sqrt(alphaBar),
      noise = Math.sqrt(1 - alphaBar);
    const x0 = state.digit.x0[i],
      eps = state.noise.eps[i];
    sum.textContent =
      `row ${spot.row}, column ${spot.col}: xₜ = ${number(signal, 4)} · (${number(x0)}) + ` +
      `${number(noise, 4)} · (${number(eps)}) = ${number(signal * x0 + noise * eps)}`;
  }

  /** Repaint what the changes touch. */
  function paint(changes) {
    const { x0 } = state.digit,
      { eps } = state.noise;
    let reach = 1;
    if (wide.input.checked) for (const value of eps) reach = Math.max(reach, Math.abs(value));
    if (changes.digit || changes.noise) {
      paintFloats(frames.x0.canvas, x0, -reach, reach);
      paintFloats(frames.eps.canvas, eps, -reach, reach);
      frames.x0.canvas.setAttribute("aria-label", state.digit.name);
      frames.eps.canvas.setAttribute("aria-label", `Gaussian noise, seed ${state.noise.seed}`);
      low.textContent = number(-reach, reach === 1 ? 0 : 1);
      high.textContent = number(reach, reach === 1 ? 0 : 1);
    }
    paintFloats(frames.x_t.canvas, mixture(), -reach, reach);
    frames.x_t.canvas.setAttribute(
      "aria-label",
      `${state.digit.name}, t = ${state.t}, ${(100 * alphaBarAt()).toPrecision(2)} % signal`,
    );
    writeSum();
  }
  return { frames, details: h("div", {}, scale, wide.element, sum), paint };
}
