// What is kept of a lesson: one sentence, and its picture.
import { inflateLevels } from "../bytes.js";
import { h } from "../dom.js";
import { paintGrid } from "../paint.js";
import { smallDrawing } from "../small_drawing.js";

/** @param {{caption: string, levels: string, n: number}} picture of a truth, as the server sends it */
export function pictureOf(picture) {
  const canvas = h("canvas", { class: "ddpm-pixels ddpm-film", role: "img", "aria-label": picture.caption });
  inflateLevels(picture.levels, 8).then((levels) => paintGrid(canvas, levels, picture.n, 28));
  return h("figure", {}, canvas, h("figcaption", {}, picture.caption));
}

/**
 * The lesson's own drawing, the first picture of its truth, or a curve that was the truth; nothing without a sentence.
 * @param {Record<string, any>} lesson
 * @param {{right: any, pictures: {caption: string, levels: string, n: number}[]} | undefined} truth as it was revealed
 * @param {Record<string, import("../small_drawing.js").Drawing>} drawings
 */
export function keepsakeOf({ remember, drawing }, truth, drawings) {
  if (!remember) return [];
  const curve = Array.isArray(truth?.right) && truth.right.every((value) => typeof value === "number");
  const most = curve ? Math.max(...truth.right) : 1;
  const picture = drawing
    ? [smallDrawing(drawings[drawing])]
    : truth?.pictures?.length
      ? [pictureOf(truth.pictures[0])]
      : curve
        ? [smallDrawing({ bars: truth.right.map((/** @type {number} */ value) => value / most) })]
        : [];
  return [h("div", { class: "ddpm-lesson-keepsake" }, ...picture, h("p", {}, h("b", {}, remember)))];
}
