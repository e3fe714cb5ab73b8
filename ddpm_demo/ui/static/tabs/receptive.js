// The stage of the Receptive-field tab: the input pixels behind one output pixel, growing layer by layer.
import { answerTo, placeIn } from "../component.js";
import { decodeFloat64 } from "../bytes.js";
import { h, makeSpoken } from "../dom.js";
import { writeLink } from "../link.js";
import { state, subscribe, update } from "../state.js";
import { makeSlider } from "../slider.js";
import { makeMap, paintLog, PIXELS, SIZE } from "./receptive_map.js";
import { say } from "../words.js";

const FIRST = 3; // a field that lies inside the picture, so that it can be seen to grow
/** A number of paths, exact as far as anybody would read it. */
const count = (/** @type {number} */ paths) => (paths < 1e12 ? say("{paths:,}", { paths }) : paths.toExponential(3));

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  /** @type {Float64Array | null} */
  let counts = null; // of paths, for every layer
  let layers = 0,
    question = 0,
    pixel = state.pixel;
  const paths = makeMap("paths", say("paths"), () => state.pixel);
  const spoken = makeSpoken();
  const pathWords = h("p", { class: "ddpm-facts", "data-name": "paths" });
  const slider = makeSlider({
    label: say("layers"),
    help: say("How many layers, from the input on, lie before the chosen pixel: play it and watch the view grow."),
    max: 9,
    value: FIRST,
    describe: (k) =>
      k === 0 ? say("in 7×7") : k === layers - 1 ? say("all, to out 3×3") : say("to block {block}", { block: k - 1 }),
    onInput: (k) => update({ layers: k }),
  });
  const all = h(
    "div",
    {},
    slider.element,
    h("div", { class: "ddpm-lead-picture" }, paths.element),
    pathWords,
    spoken.element,
    h(
      "p",
      { class: "ddpm-small" },
      say(
        "Which input pixels reach this output pixel, and by how many paths: tap a pixel of the map, or focus it and use the arrows. " +
          "White is the most paths, on a log scale; black pixels have none at all: with badly chosen dilations they leave holes.",
      ),
    ),
  );
  placeIn(element).replaceChildren(all);

  function paintPaths() {
    if (!counts) return;
    const layer = slider.value();
    const values = counts.subarray(layer * PIXELS, (layer + 1) * PIXELS);
    paintLog(paths.canvas, values, 8);
    paths.mark(pixel);
    const reached = values.reduce((sum, v) => sum + (v > 0 ? 1 : 0), 0),
      total = values.reduce((sum, v) => sum + v, 0);
    paths.caption.textContent = say("input pixels behind output pixel (row {row}, column {column})", {
      row: pixel.row,
      column: pixel.col,
    });
    pathWords.textContent = say(
      "After layer {layer} of {layers}: {reached} of {pixels} input pixels reach it, by {paths} paths in all; the pixel " +
        "itself by {own}.",
      {
        layer: layer + 1,
        layers,
        reached,
        pixels: PIXELS,
        paths: count(total),
        own: count(values[pixel.row * SIZE + pixel.col]),
      },
    );
    paths.canvas.setAttribute("aria-label", pathWords.textContent);
    spoken.say(pathWords.textContent);
  }
  async function ask() {
    const mine = ++question;
    pixel = state.pixel;
    pathWords.textContent = say("computing …");
    const answer = await answerTo(server.count_paths({ ...pixel, dilations: props.value.dilations }));
    if (mine !== question) return;
    if (answer.error) {
      pathWords.textContent = answer.error;
      return;
    }
    counts = decodeFloat64(answer.counts);
    const whole = slider.value() === layers - 1;
    layers = answer.layers;
    slider.setMax(layers - 1);
    slider.set(whole ? layers - 1 : Math.min(slider.value(), layers - 1));
    update({ layers: slider.value() });
  }
  subscribe(all, (changes) => {
    if ("layers" in changes) {
      if (state.layers !== null && slider.value() !== state.layers) slider.set(state.layers);
      paintPaths();
    }
    if (changes.pixel) {
      writeLink();
      ask();
    }
  });
  watch("value", () => {
    update({ dilations: props.value.dilations });
    writeLink();
    ask();
  });
  ask();
}
