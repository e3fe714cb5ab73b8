// A film strip of ten timesteps; a click on one goes there.
import { h } from "../dom.js";
import { paintFloats } from "../paint.js";
import { alphaBarAt, mixture, state, update } from "../state.js";
import { say } from "../words.js";

const FRAMES = 10;

export function makeStrip() {
  const frames = Array.from({ length: FRAMES }, () => {
    const canvas = h("canvas", { width: 28, height: 28, class: "ddpm-pixels" });
    const label = h("span", { class: "ddpm-small" });
    const frame = { canvas, label, t: 0 };
    frame.button = h(
      "button",
      { type: "button", class: "ddpm-strip-frame", onclick: () => update({ t: frame.t }) },
      canvas,
      label,
    );
    return frame;
  });
  function paint() {
    const last = state.tables[state.schedule].alphaBar.length - 1;
    frames.forEach((frame, k) => {
      frame.t = Math.round((k * last) / (FRAMES - 1));
      paintFloats(frame.canvas, mixture(alphaBarAt(frame.t)));
      frame.label.textContent = `t = ${frame.t}`;
      frame.button.setAttribute("aria-label", say("go to t = {t}", { t: frame.t }));
    });
  }
  return {
    element: h(
      "div",
      { class: "ddpm-strip", role: "group", "aria-label": say("ten timesteps") },
      ...frames.map((f) => f.button),
    ),
    paint,
  };
}
