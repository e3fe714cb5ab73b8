// How alike two pictures are: a bar from two strangers to the same picture, whose ends say so.
import { h } from "../dom.js";
import { say } from "../words.js";

/**
 * @param {{caption: string, share: number}[] | undefined} bars
 * @param {Record<string, string>} words
 */
export function likenessOf(bars, words) {
  if (!bars?.length) return [];
  const rows = bars.map(({ caption, share }) => {
    const fill = h("span", { class: "ddpm-lesson-bar-fill" });
    fill.style.width = `${100 * share}%`;
    return h(
      "div",
      {},
      h("p", {}, say("{caption}: {percent:.0f} %", { caption, percent: 100 * share })),
      h("span", { class: "ddpm-lesson-bar", "aria-hidden": "true" }, fill),
    );
  });
  const ends = h(
    "div",
    { class: "ddpm-lesson-ends" },
    h("span", {}, words.strangers),
    h("span", {}, words.same_picture),
  );
  return [h("div", { class: "ddpm-lesson-likeness" }, ...rows, ends)];
}
