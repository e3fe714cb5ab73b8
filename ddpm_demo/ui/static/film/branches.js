// From a digit of the student's own: noised to t, denoised into branches, and the branches counted by class against t.
import { answerTo, placeIn } from "../component.js";
import { encodeBytes, encodeFloat32, greyOf } from "../bytes.js";
import { button, h, sentence } from "../dom.js";
import { makePad } from "../tabs/pad.js";
import { paintFloats, paintGrid } from "../paint.js";
import { alphaBarAt, mixture, readValue, state, subscribe, update } from "../state.js";
import { makeSlider } from "../slider.js";
import { inRow, say } from "../words.js";
import { makeBranches } from "./device_branches.js";
import { openRunSomewhere } from "./device_run.js";

const SWEEP = [100, 200, 300, 400, 500, 600, 700, 800, 900];

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  let running = false,
    drawn = false,
    end = () => {}; // of what is under way
  /** @type {Map<number, number[]>} */
  const counted = new Map(); // t -> counts, of the digit that is shown
  const picture = (name, label) =>
    h("canvas", {
      width: 28,
      height: 28,
      role: "img",
      class: "ddpm-pixels ddpm-film",
      "data-name": name,
      "aria-label": label,
    });
  const start = picture("x0", say("the digit")),
    noised = picture("x_t", say("the noised digit: nothing yet")),
    branches = picture("branches", say("the branches: nothing yet"));
  const branchWords = h("figcaption", {}, say("its branches: nothing yet"));
  const branchFigure = h("figure", {}, branches, branchWords);
  const note = h("p", { class: "ddpm-facts", role: "status" }, say("This is the digit from the Noise tab."));
  const table = h("table", { class: "ddpm-counts" });
  const slider = makeSlider({
    label: say("noise it to t"),
    max: 999,
    value: 500,
    help: say("How much of the digit is left for the branches to share; the branches are made when you ask for them."),
    describe: (t) => `t = ${t}`,
    onInput: (t) => preview(t),
  });
  const stop = button(
    say("Stop"),
    () => {
      running = false;
      end();
    },
    { disabled: true },
  );
  const one = button(say("Denoise into branches"), () => run([slider.value()]), { "data-name": "one" });
  const all = button(say("Count at every hundredth t"), () => run(SWEEP), { "data-name": "all" });

  function showDigit() {
    if (!state.digit) return;
    paintFloats(start, state.digit.x0);
    start.setAttribute("aria-label", state.digit.name);
    preview(slider.value());
    counted.clear();
    fillTable();
  }
  /** What the network would be given at t: the noise is the one that the server draws from the same seed. */
  function preview(t) {
    if (!state.digit || !state.noise) return;
    paintFloats(noised, mixture(alphaBarAt(t, "linear")));
    noised.setAttribute("aria-label", say("{digit}, noised to t = {t}", { digit: state.digit.name, t }));
    branchFigure.classList.toggle("ddpm-waiting", drawn); // they are another t's
  }
  function fillTable() {
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "t"),
      ...[...Array(10).keys()].map((digit) => h("th", { scope: "col" }, digit)),
    );
    const rows = [...counted]
      .sort(([a], [b]) => a - b)
      .map(([t, counts]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, t),
          ...counts.map((count) => h("td", { class: count ? "ddpm-count" : "" }, count || "·")),
        ),
      );
    table.replaceChildren(
      h("caption", {}, say("branches by class, against t")),
      h("thead", {}, head),
      h("tbody", {}, ...rows),
    );
    table.hidden = !counted.size;
  }
  /**
   * Branches of a digit, wherever they are made; nothing if they were stopped.
   * @param {{x0: Float32Array}} digit
   * @param {number} t
   * @returns {Promise<Record<string, any>>} with `place`, where they were made in words
   */
  async function branchesFrom(digit, t) {
    const x0 = encodeFloat32(digit.x0);
    const question = { checkpoint: props.value.checkpoint, x0, t, seed: state.noise?.seed ?? 0 };
    const { run, checkpoint, origin, error } = await answerTo(server.branch(question));
    if (error || !running) return { error };
    const read = (/** @type {Uint8Array} */ digits) =>
      answerTo(server.read_digits({ digits: encodeBytes(digits), x0 }));
    return new Promise((resolve) => {
      let answer = {},
        place = origin;
      const events = openRunSomewhere(run, makeBranches(read), {
        take: (got) => {
          answer = got;
        },
        say: (words) => {
          note.textContent = words;
        },
        source: (words) => {
          place = words ? sentence(words) : origin;
        },
        ended: (fault) => resolve({ ...answer, checkpoint, place, error: fault && sentence(fault) }),
      });
      end = () => {
        events.close();
        resolve({});
      };
    });
  }
  async function run(times) {
    if (running || !state.digit) return;
    running = true;
    one.disabled = all.disabled = true;
    stop.disabled = false;
    const digit = state.digit;
    try {
      for (const t of times) {
        if (!running || state.digit !== digit) break;
        const { place, ...answer } = await branchesFrom(digit, t);
        if (answer.error) {
          note.textContent = answer.error;
          break;
        }
        if (!answer.branches || state.digit !== digit) break;
        const [x_t, made] = [await greyOf(answer.x_t), await greyOf(answer.branches)];
        paintGrid(noised, x_t, 1, 28, 0);
        noised.setAttribute("aria-label", say("{digit}, noised to t = {t}", { digit: digit.name, t }));
        paintGrid(branches, made, answer.n, 28);
        drawn = true;
        branchWords.textContent = say("its branches");
        branchFigure.classList.remove("ddpm-waiting");
        branches.setAttribute("aria-label", say("{n} branches from t = {t}", { n: answer.n, t }));
        slider.set(t);
        const counts = Array.from({ length: 10 }, (_, digit) => answer.classes.filter((each) => each === digit).length);
        counted.set(t, counts);
        fillTable();
        note.textContent = toldOf(t, counts, answer, place);
      }
    } finally {
      running = false;
      one.disabled = all.disabled = false;
      stop.disabled = true;
    }
  }
  /**
   * @param {number} t
   * @param {number[]} counts
   * @param {Record<string, any>} answer
   * @param {string} place
   */
  function toldOf(t, counts, { of_x0: digit, n, checkpoint, calls, seconds, accuracy }, place) {
    return inRow([
      say(
        "{some} of {n} branches from t = {t} is read as a {digit}, as the digit itself is." +
          "|{some} of {n} branches from t = {t} are read as a {digit}, as the digit itself is.",
        { some: counts[digit], n, t, digit },
      ),
      say(
        "{calls} network call of {checkpoint}, {seconds:.1f} s.|{calls} network calls of {checkpoint}, {seconds:.1f} s.",
        {
          calls,
          checkpoint,
          seconds,
        },
      ),
      place,
      say("The classifier gets {share:.2f} % of MNIST's {all:,} test digits right.", {
        share: 100 * accuracy,
        all: 10_000,
      }),
    ]);
  }
  const caption = (canvas, text) => h("figure", {}, canvas, h("figcaption", {}, text));
  const root = h(
    "div",
    {},
    h(
      "div",
      { class: "ddpm-pictures ddpm-small-pictures ddpm-branch-row" },
      caption(start, say("the digit x₀")),
      caption(noised, say("noised: xₜ")),
      branchFigure,
    ),
    slider.element,
    h("div", { class: "ddpm-row" }, one, all, stop),
    note,
    table,
    makePad(server, (digit) => update(readValue({ digit }))),
  );
  placeIn(element).replaceChildren(root);
  subscribe(root, (changes) => {
    if (changes.digit) showDigit();
  });
  let network = props.value.checkpoint;
  watch("value", () => {
    if (props.value.checkpoint === network) return; // Gradio says so once more when the list is first shown
    network = props.value.checkpoint;
    counted.clear(); // they were another network's
    fillTable();
  });
  showDigit();
}
