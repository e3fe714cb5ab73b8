// A 28x28 map of the Receptive-field tab, and how its numbers are painted.
import { h } from "../dom.js";
import { paintFloats } from "../paint.js";
import { savableFigure } from "../png.js";
import { makePointable, placeMarker } from "../pointing.js";
import { update } from "../state.js";

export const SIZE = 28;
export const PIXELS = SIZE * SIZE;

/** Choose another output pixel, on every map. */
export const pick = (pixel) => update({ pixel });

/** A map on which a pixel can be chosen with the pointer or the arrow keys. */
export function makeMap(name, label, current) {
  const canvas = h("canvas", {
    width: SIZE,
    height: SIZE,
    role: "img",
    tabindex: 0,
    class: "ddpm-pixels",
    "data-name": name,
    "aria-label": label,
  });
  const marker = h("span", { class: "ddpm-marker" });
  makePointable(canvas, { size: SIZE, current, onPick: pick });
  const mark = (place) => placeMarker(marker, place, SIZE);
  const caption = h("span", {});
  const element = savableFigure(canvas, caption, name, h("div", { class: "ddpm-frame" }, canvas, marker));
  return { canvas, mark, caption, element };
}

/** Paint positive numbers on a log scale over `decades` below the largest; zero is black. */
export function paintLog(canvas, values, decades) {
  const top = Math.log10(Math.max(...values));
  paintFloats(
    canvas,
    Float32Array.from(values, (v) => (v > 0 ? Math.max(0.12, 1 - (top - Math.log10(v)) / decades) : 0)),
    0,
    1,
  );
}
