// Sixteen digits, always from the same noise, at every half-minute of training: with averaged weights and without.
import { answerTo } from "../component.js";
import { inflateLevels } from "../bytes.js";
import { h, number } from "../dom.js";
import { paintGrid } from "../paint.js";
import { makeSlider } from "../slider.js";
import { say } from "../words.js";
import { momentWords } from "./train_moment.js";

const CAPTIONS = { ema: say("averaged weights (EMA)"), plain: say("this very step's weights") };
const AGAIN = 2000; // milliseconds until a question that failed is asked again
const BEGINNING = say("what every drawing begins with");

export function makeGrids(server) {
  /** @type {Promise<{n: number, levels: Uint8Array}> | null} */
  let noise = null; // what every drawing begins with
  /** @type {string | null} */
  let run = null;
  /** @type {number[]} */
  let steps = [];
  /** @type {Record<number, any>} */
  let about = {};
  let follow = true,
    wanted = 0;
  const pictures = new Map(); // step -> {ema, plain}
  const canvases = Object.fromEntries(
    Object.keys(CAPTIONS).map((name) => [
      name,
      h("canvas", {
        width: 28,
        height: 28,
        role: "img",
        class: "ddpm-pixels ddpm-film",
        "data-name": name,
        "aria-label": say("{name}: nothing yet", { name: CAPTIONS[name] }),
      }),
    ]),
  );
  const captions = Object.fromEntries(Object.keys(CAPTIONS).map((name) => [name, h("figcaption", {}, CAPTIONS[name])]));
  const slider = makeSlider({
    label: say("moment of training"),
    max: 0,
    value: 0,
    help: say(
      "Drag or play from the first moment to the newest and watch the digits condense. Each time it starts from the same sixteen noises (DPM-Solver++, 10 steps).",
    ),
    describe: (index) => momentWords(steps[index], about),
    onInput: () => {
      follow = slider.value() === steps.length - 1;
      paint();
    },
  });
  const waiting = h(
    "p",
    { class: "ddpm-help" },
    say(
      "For now these are the sixteen noises that every drawing begins with; the first digits come a few seconds after the start.",
    ),
  );
  const element = h(
    "div",
    {},
    h("h3", {}, say("What it would draw by now")),
    waiting,
    h(
      "div",
      { class: "ddpm-pictures ddpm-small-pictures ddpm-train-grids" },
      ...Object.entries(canvases).map(([name, canvas]) => h("figure", {}, canvas, captions[name])),
    ),
    slider.element,
  );

  // For a run on the student's own drawings: each digit beside the drawing it is nearest to.
  const pairs = h("div", { class: "ddpm-row" }),
    yardstick = h("p", { class: "ddpm-help" });
  const copied = h(
    "section",
    { hidden: true, "aria-label": say("learned or copied") },
    h("h3", {}, say("Did it learn or copy?")),
    pairs,
    yardstick,
  );
  function compare(found) {
    copied.hidden = !found.nearest;
    if (!found.nearest) return;
    const { distance, drawings, fresh, other, levels } = found.nearest;
    pairs.replaceChildren(
      ...distance.map((far, k) => {
        const two = new Uint8Array(2 * 784),
          canvas = h("canvas", {
            class: "ddpm-pixels",
            role: "img",
            style: "width: 116px",
            "aria-label": say("digit {place} and the nearest drawing, {far:.1f} from it", { place: k + 1, far }),
          });
        two.set(found.ema.subarray(784 * k, 784 * (k + 1)));
        two.set(levels.subarray(784 * k, 784 * (k + 1)), 784);
        paintGrid(canvas, two, 2, 28);
        return h("figure", { "data-distance": far }, canvas, h("figcaption", {}, number(far, 1)));
      }),
    );
    yardstick.textContent = say(
      "On the left a digit drawn with EMA, on the right the nearest of your {drawings} drawings as it was taught: turned, scaled or shifted; below, how far apart they are (Euclidean, pixels 0 to 1; 0 is a copy). " +
        "For comparison: a variation that it was not taught lies {fresh:.1f} from the nearest one that it was, and one drawing {other:.1f} from the next.",
      { drawings, fresh, other },
    );
  }

  function show(newRun, newSteps, lines) {
    if (newRun !== run) {
      pictures.clear();
      follow = true;
    }
    const now = steps[slider.value()],
      changed = newRun !== run || newSteps.length !== steps.length || newSteps.at(-1) !== steps.at(-1);
    run = newRun;
    steps = newSteps;
    about = lines;
    waiting.hidden = steps.length > 0;
    element.dataset.moments = String(steps.length);
    if (!changed) {
      slider.set(slider.value());
      return;
    } // its time may have become known
    slider.setMax(Math.max(0, steps.length - 1));
    slider.set(follow ? steps.length - 1 : Math.max(0, steps.indexOf(now)));
    paint();
  }
  /** Before the first moment: the noises that every drawing begins with. */
  async function paintNoises() {
    const asked = (noise ??= server
      .noises({})
      .then(async ({ n, noises }) => ({ n, levels: await inflateLevels(noises, 8) })));
    const begun = await asked.catch(() => {
      noise = null;
      return null;
    });
    if (steps.length) return;
    if (!begun) {
      setTimeout(() => steps.length || paintNoises(), AGAIN);
      return;
    }
    const { n, levels } = begun;
    for (const [name, canvas] of Object.entries(canvases)) {
      captions[name].textContent = BEGINNING;
      paintGrid(canvas, levels, n, 28);
      delete canvas.dataset.step;
      canvas.setAttribute("aria-label", say("{name}: the same {n} noises each time", { name: BEGINNING, n }));
    }
  }
  async function paint() {
    const step = steps[slider.value()];
    if (step === undefined) {
      copied.hidden = true;
      return paintNoises();
    }
    wanted = step;
    if (!pictures.has(step)) {
      const asked = run,
        answer = await answerTo(server.moment({ run, step }));
      if (answer.error || asked !== run) return;
      const nearest = answer.nearest && { ...answer.nearest, levels: await inflateLevels(answer.nearest.pictures, 8) };
      pictures.set(step, {
        n: answer.n,
        nearest,
        ema: await inflateLevels(answer.ema, 8),
        plain: await inflateLevels(answer.plain, 8),
      });
    }
    if (wanted !== step) return; // the slider has moved on meanwhile
    const found = pictures.get(step);
    compare(found);
    for (const [name, canvas] of Object.entries(canvases)) {
      paintGrid(canvas, found[name], found.n, 28);
      canvas.dataset.step = String(step);
      captions[name].textContent = CAPTIONS[name];
      canvas.setAttribute(
        "aria-label",
        say("{name}: {n} digits after step {step}", { name: CAPTIONS[name], n: found.n, step }),
      );
    }
  }
  paintNoises();
  return { element, copied, show };
}
