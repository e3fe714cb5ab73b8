// x0, eps and x_t side by side, on one scale of values, with the sum behind any pixel written out.
import { checkbox, h, number, pngButton } from "./dom.js";
import { paintFloats } from "./paint.js";
import { alphaBarAt, mixture, state } from "./shared.js";

const SIZE = 28;

export function makePixels() {
  let spot = null; // {row, col} under the pointer or the arrow keys
  const wide = checkbox("show the true range (noise leaves −1 to 1; otherwise colours are clipped there)", () => paint({ noise: true }));
  const low = h("span"), high = h("span");
  const scale = h("div", { class: "ddpm-scale" }, low, h("span", { class: "ddpm-ramp" }), high);
  const sum = h("p", { class: "ddpm-equation ddpm-sum", "aria-live": "polite" }, hint());
  const frames = Object.fromEntries([["x0", "the digit x₀"], ["eps", "the noise ε"], ["x_t", "their mixture xₜ"]].map(
    ([name, caption]) => [name, makeFrame(name, caption)]));

  function hint() { return "Point at a pixel, or tap it, to see its sum; with the keyboard: focus a picture and use the arrows."; }

  function makeFrame(name, caption) {
    const canvas = h("canvas", { width: SIZE, height: SIZE, role: "img", tabindex: 0, class: "ddpm-pixels", "data-name": name });
    const marker = h("span", { class: "ddpm-marker", hidden: true });
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const place = (offset, length) => Math.min(SIZE - 1, Math.max(0, Math.floor((offset / length) * SIZE)));
      inspect({ row: place(event.clientY - box.top, box.height), col: place(event.clientX - box.left, box.width) });
    };
    canvas.addEventListener("pointermove", at);
    canvas.addEventListener("pointerdown", at);
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!by) return;
      event.preventDefault();
      const from = spot ?? { row: SIZE / 2, col: SIZE / 2 };
      const inside = (value) => Math.min(SIZE - 1, Math.max(0, value));
      inspect({ row: inside(from.row + by[0]), col: inside(from.col + by[1]) });
    });
    return { canvas, marker, element: h("figure", {}, h("div", { class: "ddpm-frame" }, canvas, marker), h("figcaption", {}, caption, " ", pngButton(canvas, () => name))) };
  }

  function inspect(where) {
    spot = where;
    for (const { marker } of Object.values(frames)) {
      marker.hidden = false;
      marker.style.left = `${(100 * spot.col) / SIZE}%`;
      marker.style.top = `${(100 * spot.row) / SIZE}%`;
    }
    writeSum();
  }
  function writeSum() {
    if (!spot) return;
    const i = spot.row * SIZE + spot.col;
    const alphaBar = alphaBarAt();
    const signal = Math.sqrt(alphaBar), noise = Math.sqrt(1 - alphaBar);
    const x0 = state.digit.x0[i], eps = state.noise.eps[i];
    sum.textContent = `row ${spot.row}, column ${spot.col}: xₜ = ${number(signal, 4)} · (${number(x0)}) + `
      + `${number(noise, 4)} · (${number(eps)}) = ${number(signal * x0 + noise * eps)}`;
  }

  /** Repaint what the changes touch. */
  function paint(changes) {
    const { x0 } = state.digit, { eps } = state.noise;
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
    frames.x_t.canvas.setAttribute("aria-label",
      `${state.digit.name}, t = ${state.t}, ${(100 * alphaBarAt()).toPrecision(2)} % signal`);
    writeSum();
  }
  const element = h("div", {},
    h("div", { class: "ddpm-pictures" }, ...Object.values(frames).map((frame) => frame.element)), scale, wide.element, sum);
  return { element, paint };
}
