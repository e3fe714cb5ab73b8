// The Receptive-field tab's maps: the input pixels behind one output pixel, by counting paths and as a trained network uses them.
import { decodeFloat32, decodeFloat64 } from "../bytes.js";
import { makeChart } from "../chart.js";
import { checkbox, h, pngButton } from "../dom.js";
import { writeLink } from "../link.js";
import { paintFloats } from "../paint.js";
import { makePointable, placeMarker } from "../pointing.js";
import { state } from "../state.js";
import { makeSlider } from "../slider.js";

const SIZE = 28, PIXELS = SIZE * SIZE;

/** A 28x28 map on which a pixel can be chosen with the pointer or the arrow keys. */
function makeMap(name, onPick, current) {
  const canvas = h("canvas", { width: SIZE, height: SIZE, role: "img", tabindex: 0, class: "ddpm-pixels", "data-name": name, "aria-label": name });
  const marker = h("span", { class: "ddpm-marker" });
  makePointable(canvas, { size: SIZE, current, onPick });
  const mark = (place) => placeMarker(marker, place, SIZE);
  const caption = h("span", {});
  const element = h("figure", {}, h("div", { class: "ddpm-frame" }, canvas, marker),
    h("figcaption", {}, caption, " ", pngButton(canvas, () => name)));
  return { canvas, mark, caption, element };
}

export function mount(element, props, watch, server) {
  let pixel = state.pixel;
  let counts = null, layers = 0, question = 0;
  const pick = (place) => { pixel = state.pixel = place; writeLink(); ask(); };
  const paths = makeMap("paths", pick, () => pixel);
  const pathWords = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "paths" });
  const slider = makeSlider({
    label: "layers", help: "How many layers, from the input on, lie before the chosen pixel: play it and watch the view grow.",
    max: 9, value: 9,
    describe: (k) => (k === 0 ? "in 7×7" : k === layers - 1 ? "all, to out 3×3" : `to block ${k - 1}`),
    onInput: () => paintPaths(),
  });
  const frozen = checkbox("freeze GroupNorm: hold its mean and variance constant, so that only the convolutions carry influence", () => ask());
  const looks = h("div", { class: "ddpm-pictures ddpm-looks" });
  const lookWords = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "influence" });
  const chart = makeChart();
  const taps = h("div", { class: "ddpm-pictures ddpm-looks" });
  const all = h("div", {},
    h("h3", {}, "How many of a 3×3 kernel's nine taps fall inside the image"),
    taps,
    h("h3", {}, "Which input pixels reach this output pixel, and by how many paths"),
    h("p", {}, "Tap a pixel of a map, or focus it and use the arrows. White is the most paths, on a log scale; black pixels have none at all: "
      + "with badly chosen dilations they leave holes."),
    slider.element, h("div", { class: "ddpm-stage" }, paths.element), pathWords,
    h("h3", {}, "What the trained network really looks at"),
    h("p", {}, "The gradient |∂ε̂ / ∂xₜ| of this one output pixel (its effective receptive field, Luo et al. 2016), averaged over test digits, at four timesteps; on a log scale. "
      + "When t is large xₜ is nearly ε itself, so the pixel's own value is most of the answer; what matters is how far the rest reaches."),
    frozen.element, looks, lookWords, chart.element);
  element.querySelector(".ddpm-mount").replaceChildren(all);

  /** Paint positive numbers on a log scale over `decades` below the largest; zero is black. */
  function paintLog(canvas, values, decades) {
    const top = Math.log10(Math.max(...values));
    paintFloats(canvas, Float32Array.from(values, (v) => (v > 0 ? Math.max(0.12, 1 - (top - Math.log10(v)) / decades) : 0)), 0, 1);
  }
  function paintPaths() {
    if (!counts) return;
    const layer = slider.value();
    const values = counts.subarray(layer * PIXELS, (layer + 1) * PIXELS);
    paintLog(paths.canvas, values, 8);
    paths.mark(pixel);
    const reached = values.reduce((sum, v) => sum + (v > 0), 0), total = values.reduce((sum, v) => sum + v, 0);
    paths.caption.textContent = `input pixels behind output pixel (row ${pixel.row}, column ${pixel.col})`;
    pathWords.textContent = `After layer ${layer + 1} of ${layers}: ${reached} of ${PIXELS} input pixels reach it, by ${total.toExponential(3)} paths in all; `
      + `the pixel itself by ${values[pixel.row * SIZE + pixel.col].toExponential(2)}.`;
    paths.canvas.setAttribute("aria-label", pathWords.textContent);
  }
  function showLooks(answer) {
    const percent = (share) => `${(100 * share).toPrecision(2)} %`;
    const maps = decodeFloat32(answer.maps);
    looks.replaceChildren(...answer.t.map((t, k) => {
      const map = makeMap(`influence at t = ${t}`, pick, () => pixel);
      paintLog(map.canvas, maps.subarray(k * PIXELS, (k + 1) * PIXELS), 4);
      map.mark(pixel);
      map.caption.textContent = `t = ${t}: the pixel itself ${percent(answer.itself[k])}; 90 % of the rest within ${answer.widths[k]}×${answer.widths[k]}`;
      return map.element;
    }));
    lookWords.textContent = `${answer.checkpoint}, mean over ${answer.digits} test digits. After the first block the formula's square is 9×9; `
      + `beyond it lies ${answer.t.map((t, k) => `${percent(answer.outside[k])} of the gradient at t = ${t}`).join(", ")}. `
      + (frozen.input.checked ? "With the norms frozen that must be nothing." : "Only GroupNorm, whose mean and variance are the whole image's, can carry it there.");
    chart.draw(answer.chart);
  }
  /** At every pixel, the taps of a dilated 3x3 kernel that read the image and not the padding: 1 black to 9 white. */
  function drawTaps() {
    const inside = (at) => at >= 0 && at < SIZE;
    taps.replaceChildren(...[...new Set(props.value.dilations)].map((dilation) => {
      const live = (at) => [-dilation, 0, dilation].filter((by) => inside(at + by)).length;
      const counts = Float32Array.from({ length: PIXELS }, (_, i) => live(Math.floor(i / SIZE)) * live(i % SIZE));
      const mean = counts.reduce((sum, count) => sum + count, 0) / PIXELS;
      const alone = counts.filter((count) => count === 1).length;
      const name = `taps at dilation ${dilation}`;
      const canvas = h("canvas", { class: "ddpm-pixels", role: "img", "aria-label": name, "data-name": name });
      paintFloats(canvas, counts, 0, 9);
      const words = `dilation ${dilation}: ${((100 * mean) / 9).toFixed(1)} % of the taps`
        + (alone ? `; ${alone} of ${PIXELS} pixels see only themselves` : "");
      return h("figure", {}, canvas, h("figcaption", {}, words, " ", pngButton(canvas, () => name)));
    }));
  }
  async function ask() {
    const mine = ++question;
    pathWords.textContent = lookWords.textContent = "computing …";
    const call = (name, extra) => server[name]({ ...pixel, ...extra }).catch(() => ({ error: "the server did not answer; is it still running?" }));
    const answer = await call("count_paths", { dilations: props.value.dilations });
    if (mine !== question) return;
    if (answer.error) { pathWords.textContent = answer.error; } else {
      counts = decodeFloat64(answer.counts);
      const whole = slider.value() === layers - 1 || layers === 0;
      layers = answer.layers;
      slider.setMax(layers - 1);
      slider.set(whole ? layers - 1 : Math.min(slider.value(), layers - 1));
      paintPaths();
    }
    const looked = await call("influence", { frozen: frozen.input.checked });
    if (mine !== question) return;
    if (looked.error) lookWords.textContent = looked.error; else showLooks(looked);
  }
  watch("value", () => { state.dilations = props.value.dilations; writeLink(); drawTaps(); ask(); });
  drawTaps();
  ask();
}
