// How far a network really looks: at each t the patch whose perfect answer comes closest to the network's.
import { answerTo, placeIn } from "../component.js";
import { makeCurve } from "../curve.js";
import { button, h } from "../dom.js";
import { BLUE } from "../palette.js";
import { inRow, say } from "../words.js";

const IMAGE = 28;

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const { looks } = props.value;
  const curve = makeCurve({ xTitle: say("timestep t") });
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "patches" });
  const start = button(say("Measure how far it looks"), () => measure(), { class: "ddpm-button ddpm-primary" });
  const stage = h("div", { hidden: true }, curve.element);
  const all = h(
    "div",
    { class: "ddpm-patches" },
    h("h3", {}, say("How far it really looks")),
    h(
      "p",
      {},
      say(
        "For every pixel take a patch of xₜ around it, and give the best possible answer from that patch alone: the mean " +
          "of training digits, weighted by how well they explain it. Of many widths, which patch comes closest to what the " +
          "network says?",
      ),
    ),
    start,
    stage,
    words,
    h(
      "p",
      { class: "ddpm-small" },
      say(
        "After Kamb & Ganguli 2025, “An analytic theory of creativity in convolutional diffusion models”: the same place in " +
          "every training digit. The share is of the variance of the network's x̂₀, the median over some test digits.",
      ),
    ),
  );
  placeIn(element).replaceChildren(all);

  async function measure() {
    start.disabled = true;
    stage.hidden = false;
    const points = [];
    for (const t of looks) {
      words.textContent = say("measuring t = {t}, {done} of {total} done …", {
        t,
        done: points.length,
        total: looks.length,
      });
      const answer = await answerTo(server.patch_look({ t }));
      if (answer.error) {
        words.textContent = answer.error;
        start.disabled = false;
        return;
      }
      points.push(answer);
      draw(points);
    }
    const [first] = points,
      last = points[points.length - 1];
    const looked = points.map(({ t, width, share, whole }) =>
      say("t = {t}: {width} ({percent:.1f} %; the whole picture {wholePercent:.1f} %)", {
        t,
        width,
        percent: 100 * share,
        wholePercent: 100 * whole,
      }),
    );
    words.textContent = inRow([
      say("{checkpoint} can see {field} pixels.", { checkpoint: first.checkpoint, field: first.field }),
      say("{sentence}.", { sentence: looked }),
      say(
        "Patches of {taught:,} training digits against the network's answer for {count} test digits; tried: {widths} pixels.",
        { taught: first.taught, count: first.digits, widths: first.tried },
      ),
    ]);
    Object.assign(all.dataset, { done: points.length, first: first.width, last: last.width });
    start.disabled = false;
  }
  function draw(points) {
    const widths = points.map(({ width }) => width);
    const each = points.map(({ t, width }) => say("{width} at t = {t}", { width, t }));
    curve.draw({
      label: say("width of the patch that explains most: {widths}", { widths: each }),
      names: looks.map(String),
      x: [-0.5, looks.length - 0.5],
      y: [0, 1.25 * IMAGE],
      level: { y: IMAGE, text: say("the image: {count} pixels", { count: IMAGE }) },
      series: [
        { name: say("the patch that explains most, pixels"), colour: BLUE, dash: "solid", y: widths, numbers: true },
      ],
    });
  }
}
