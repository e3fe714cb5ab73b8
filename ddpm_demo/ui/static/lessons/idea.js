// The wrong idea behind an answer, in a student's own words, and what refutes it.
import { h } from "../dom.js";
import { say } from "../words.js";

/**
 * @param {{misconception?: string, refutation?: string} | undefined} idea nothing where none is named
 * @param {Record<string, string>} words
 */
export const ideaOf = (idea, words) =>
  idea?.misconception
    ? [
        h(
          "div",
          { class: "ddpm-lesson-idea" },
          h("p", {}, h("b", {}, words.idea), " ", say("“{said}”", { said: idea.misconception })),
          h("p", {}, h("b", {}, words.refuted), ` ${idea.refutation}`),
        ),
      ]
    : [];
