// How far a network really looks: at each t the patch whose perfect answer comes closest to the network's.
import { placeIn } from "../component.js";
import { makeCurve } from "../curve.js";
import { button, h } from "../dom.js";
import { BLUE } from "../palette.js";

const IMAGE = 28;

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const { looks } = props.value;
  const curve = makeCurve({ xTitle: "timestep t" });
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "patches" });
  const start = button("Measure how far it looks", () => measure(), { class: "ddpm-button ddpm-primary" });
  const stage = h("div", { hidden: true }, curve.element);
  const all = h(
    "div",
    { class: "ddpm-patches" },
    h("h3", {}, "How far it really looks"),
    h(
      "p",
      {},
      "For every pixel take a patch of xₜ around it, and give the best possible answer from that patch alone: the mean " +
        "of training digits, weighted by how well they explain it. Of many widths, which patch comes closest to what the " +
        "network says?",
    ),
    start,
    stage,
    words,
    h(
      "p",
      { class: "ddpm-small" },
      "After Kamb & Ganguli 2025, “An analytic theory of creativity in convolutional diffusion models”: the same place in " +
        "every training digit. The share is of the variance of the network's x̂₀, the median over some test digits.",
    ),
  );
  placeIn(element).replaceChildren(all);

  async function measure() {
    start.disabled = true;
    stage.hidden = false;
    const points = [];
    for (const t of looks) {
      words.textContent = `measuring t = ${t}, ${points.length} of ${looks.length} done …`;
      const answer = await server
        .patch_look({ t })
        .catch(() => ({ error: "the server did not answer; is it still running?" }));
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
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    words.textContent =
      `${first.checkpoint} can see ${first.field} pixels. ` +
      points
        .map(
          ({ t, width, share, whole }) => `t = ${t}: ${width} (${percent(share)}; the whole picture ${percent(whole)})`,
        )
        .join(", ") +
      `. Patches of ${first.taught.toLocaleString("en")} training digits against the network's answer for ${first.digits} test digits; tried: ` +
      `${first.tried.join(", ")} pixels.`;
    Object.assign(all.dataset, { done: points.length, first: first.width, last: last.width });
    start.disabled = false;
  }
  function draw(points) {
    const widths = points.map(({ width }) => width);
    curve.draw({
      label: `width of the patch that explains most: ${points.map(({ t, width }) => `${width} at t = ${t}`).join(", ")}`,
      names: looks.map(String),
      x: [-0.5, looks.length - 0.5],
      y: [0, 1.25 * IMAGE],
      level: { y: IMAGE, text: `the image: ${IMAGE} pixels` },
      series: [{ name: "the patch that explains most, pixels", colour: BLUE, dash: "solid", y: widths, numbers: true }],
    });
  }
}
