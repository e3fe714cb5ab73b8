// The film epoch by t: the same noisy digit shown to the networks of many moments of a training run.
import { answerTo } from "../component.js";
import { inflateLevels } from "../bytes.js";
import { button, h, makeSpoken, newId, select } from "../dom.js";
import { perCent } from "../figures.js";
import { paintGrid } from "../paint.js";
import { makeSlider } from "../slider.js";
import { say } from "../words.js";
import { momentWords } from "./train_moment.js";

const SIZE = 28,
  LENGTH = SIZE * SIZE,
  LOOKS = 10;
const BIG = {
  x0: say("the digit x₀"),
  x_t: say("xₜ, what the network gets"),
  x0_hat: say("x̂₀, the clean image it implies"),
};

export function makeFilm(server) {
  let run = null,
    steps = [],
    about = {},
    seed = 0,
    look = 6,
    wanted = "",
    started = false;
  const answers = new Map();
  const digit = select(say("digit"), Object.fromEntries(Array.from({ length: 10 }, (_, k) => [k, k])), () => paint());
  digit.input.value = "7";
  const big = Object.fromEntries(
    Object.keys(BIG).map((name) => [
      name,
      h("canvas", {
        width: SIZE,
        height: SIZE,
        role: "img",
        class: "ddpm-pixels",
        "data-name": name,
        "aria-label": BIG[name],
      }),
    ]),
  );
  const spoken = makeSpoken();
  const words = h("p", { class: "ddpm-facts" });
  const strip = Array.from({ length: LOOKS }, (_, k) => {
    const before = h("canvas", { width: SIZE, height: SIZE, class: "ddpm-pixels" });
    const after = h("canvas", { width: SIZE, height: SIZE, class: "ddpm-pixels" });
    const label = h("span", { class: "ddpm-small" });
    const choose = h(
      "button",
      {
        type: "button",
        class: "ddpm-strip-frame",
        onclick: () => {
          look = k;
          paint();
        },
      },
      before,
      after,
      label,
    );
    return { before, after, label, button: choose };
  });
  const slider = makeSlider({
    label: say("moment of training"),
    max: 0,
    value: 0,
    help: say(
      "The digit and its noise stay the same; only the network grows up. Click a column to choose its t. Only moments whose weights were kept are shown; a big network keeps few.",
    ),
    describe: (index) => momentWords(steps[index], about),
    onInput: () => paint(),
  });
  const id = newId("film");
  const body = h(
    "div",
    {},
    h(
      "div",
      { class: "ddpm-row" },
      digit.element,
      button(say("Other noise"), () => {
        seed++;
        paint();
      }),
    ),
    h(
      "div",
      {
        class: "ddpm-strip ddpm-train-strip",
        role: "group",
        "aria-label": say("ten timesteps: what goes in, and the clean image that comes out"),
      },
      ...strip.map((each) => each.button),
    ),
    slider.element,
    h(
      "div",
      { class: "ddpm-pictures ddpm-small-pictures" },
      ...Object.entries(big).map(([name, canvas]) => h("figure", {}, canvas, h("figcaption", {}, BIG[name]))),
    ),
    words,
    spoken.element,
  );
  const element = h(
    "details",
    { class: "ddpm-details", id },
    h("summary", {}, say("How the network grew up: the same noisy digit at every moment of the training")),
    body,
  );
  element.addEventListener("toggle", () => {
    if (element.open) {
      started = true;
      paint();
    }
  });

  function show(newRun, newSteps, lines = {}) {
    const changed = newRun !== run || newSteps.length !== steps.length || newSteps.at(-1) !== steps.at(-1);
    const now = steps[slider.value()],
      last = slider.value() === steps.length - 1;
    if (newRun !== run) answers.clear();
    run = newRun;
    steps = newSteps;
    about = lines;
    element.hidden = steps.length === 0;
    if (!changed) {
      slider.set(slider.value());
      return;
    } // its time may have become known
    slider.setMax(Math.max(0, steps.length - 1));
    slider.set(last || newRun === null ? steps.length - 1 : Math.max(0, steps.indexOf(now)));
    if (started && element.open) paint();
  }
  async function paint() {
    const step = steps[slider.value()];
    if (step === undefined) return;
    const question = { run, step, seed, digit: Number(digit.input.value) },
      key = JSON.stringify(question);
    wanted = key;
    if (!answers.has(key)) {
      const answer = await answerTo(server.look_back(question));
      if (answer.error) {
        words.textContent = answer.error;
        return;
      }
      for (const name of Object.keys(BIG)) answer[name] = await inflateLevels(answer[name], 8);
      answers.set(key, answer);
    }
    if (wanted !== key) return;
    const got = answers.get(key),
      part = (name, k) => got[name].subarray(k * LENGTH, (k + 1) * LENGTH);
    strip.forEach((each, k) => {
      paintGrid(each.before, part("x_t", k), 1, SIZE, 0);
      paintGrid(each.after, part("x0_hat", k), 1, SIZE, 0);
      each.label.textContent = `t = ${got.t[k]}`;
      each.button.setAttribute("aria-pressed", String(k === look));
      each.button.setAttribute("aria-label", say("look at t = {t}", { t: got.t[k] }));
    });
    paintGrid(big.x0, got.x0, 1, SIZE, 0);
    paintGrid(big.x_t, part("x_t", look), 1, SIZE, 0);
    paintGrid(big.x0_hat, part("x0_hat", look), 1, SIZE, 0);
    words.textContent = say(
      "t = {t}: {percent} of the variance is the digit. After step {step:,} the clean image it implies is {error:.4f} away " +
        "from x₀ (mean squared, clipped to [−1, 1]).",
      { t: got.t[look], percent: perCent(got.alpha_bar[look]), step, error: got.error_of_x0[look] },
    );
    spoken.say(words.textContent);
    element.dataset.step = step;
  }
  return { element, show };
}
