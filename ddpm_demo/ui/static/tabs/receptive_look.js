// Below the stage of the Receptive-field tab: which taps fall inside the image, and what a trained network looks at.
import { answerTo, placeIn } from "../component.js";
import { decodeFloat32 } from "../bytes.js";
import { makeChart } from "../chart.js";
import { checkbox, h } from "../dom.js";
import { perCent } from "../figures.js";
import { paintFloats } from "../paint.js";
import { savableFigure } from "../png.js";
import { state, subscribe } from "../state.js";
import { makeMap, paintLog, PIXELS, SIZE } from "./receptive_map.js";
import { inRow, say } from "../words.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  let question = 0;
  const frozen = checkbox(
    say("freeze GroupNorm: hold its mean and variance constant, so that only the convolutions carry influence"),
    () => ask(),
  );
  const looks = h("div", { class: "ddpm-pictures ddpm-looks" });
  const lookWords = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "influence" });
  const chart = makeChart();
  const taps = h("div", { class: "ddpm-pictures ddpm-looks" });
  const all = h(
    "div",
    {},
    h("h3", {}, say("How many of a 3×3 kernel's nine taps fall inside the image")),
    taps,
    h("h3", {}, say("What the trained network really looks at")),
    h(
      "p",
      {},
      say(
        "The gradient |∂ε̂ / ∂xₜ| of this one output pixel (its effective receptive field, Luo et al. 2016), averaged over test digits, at four timesteps; on a log scale. " +
          "When t is large xₜ is nearly ε itself, so the pixel's own value is most of the answer; what matters is how far the rest reaches.",
      ),
    ),
    frozen.element,
    looks,
    lookWords,
    chart.element,
  );
  placeIn(element).replaceChildren(all);

  function showLooks(answer) {
    const maps = decodeFloat32(answer.maps);
    looks.replaceChildren(
      ...answer.t.map((t, k) => {
        const map = makeMap(`influence at t = ${t}`, say("influence at t = {t}", { t }), () => state.pixel);
        paintLog(map.canvas, maps.subarray(k * PIXELS, (k + 1) * PIXELS), 4);
        map.mark(state.pixel);
        map.caption.textContent = say(
          "t = {t}: the pixel itself {itself}; {share} % of the rest within {width}×{width}",
          { t, itself: perCent(answer.itself[k]), share: 90, width: answer.widths[k] },
        );
        return map.element;
      }),
    );
    const shares = answer.t.map((t, k) =>
      say("{share} of the gradient at t = {t}", { share: perCent(answer.outside[k]), t }),
    );
    lookWords.textContent = inRow([
      say("{checkpoint}, mean over {count} test digits.", { checkpoint: answer.checkpoint, count: answer.digits }),
      say("After the first block the formula's square is 9×9; beyond it lies {shares}.", { shares }),
      frozen.input.checked
        ? say("With the norms frozen that must be nothing.")
        : say("Only GroupNorm, whose mean and variance are taken over the whole image, can carry it there."),
    ]);
    chart.draw(answer.chart);
  }
  /** At every pixel, the taps of a dilated 3x3 kernel that read the image and not the padding: 1 black to 9 white. */
  function drawTaps() {
    const inside = (at) => at >= 0 && at < SIZE;
    taps.replaceChildren(
      ...[...new Set(state.dilations ?? props.value.dilations)].map((dilation) => {
        const live = (at) => [-dilation, 0, dilation].filter((by) => inside(at + by)).length;
        const counts = Float32Array.from({ length: PIXELS }, (_, i) => live(Math.floor(i / SIZE)) * live(i % SIZE));
        const mean = counts.reduce((sum, count) => sum + count, 0) / PIXELS;
        const alone = counts.filter((count) => count === 1).length;
        const name = `taps at dilation ${dilation}`;
        const canvas = h("canvas", {
          class: "ddpm-pixels",
          role: "img",
          "aria-label": say("taps at dilation {dilation}", { dilation }),
          "data-name": name,
        });
        paintFloats(canvas, counts, 0, 9);
        const facts = { alone, pixels: PIXELS, dilation, percent: (100 * mean) / 9 };
        const words = alone
          ? say(
              "dilation {dilation}: {percent:.1f} % of the taps; {alone} of {pixels} pixels see only themselves",
              facts,
            )
          : say("dilation {dilation}: {percent:.1f} % of the taps", facts);
        return savableFigure(canvas, words, name);
      }),
    );
  }
  async function ask() {
    const mine = ++question;
    lookWords.textContent = say("computing …");
    const answer = await answerTo(server.influence({ ...state.pixel, frozen: frozen.input.checked }));
    if (mine !== question) return;
    if (answer.error) lookWords.textContent = answer.error;
    else showLooks(answer);
  }
  subscribe(all, (changes) => {
    if (changes.dilations) drawTaps();
    if (changes.pixel) ask();
  });
  drawTaps();
  ask();
}
