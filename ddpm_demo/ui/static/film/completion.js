// Finish my drawing: a part of a digit is wiped out with a brush or a mask, and completed in four ways at once.
import { answerTo, placeIn } from "../component.js";
import { decodeBytes, encodeBytes, encodeFloat32, greyOf } from "../bytes.js";
import { button, h, newId, sentence } from "../dom.js";
import { figure } from "../figures.js";
import { inOrder, report } from "../in_order.js";
import { makePad } from "../tabs/pad.js";
import { paintFloats, paintGrid, paintKnown } from "../paint.js";
import { makeCompletion } from "./device_completion.js";
import { openRunSomewhere } from "./device_run.js";
import { makeWiper, MASKS } from "./wiper.js";
import { makeSlider } from "../slider.js";
import { readValue, state, subscribe, update } from "../state.js";
import { inRow, say } from "../words.js";

const PIXELS = 28 * 28;
const WHY = say(
  "0 shows why they are needed: without jumps each part only responds to the other as it was a step ago, so the two " +
    "need not fit. A jump adds one step's noise again and repeats the step, known part and all.",
);
const IN_WORDS = [say("none"), say("one"), say("two"), say("three"), say("four")];

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const { masks, n, most, jumps: usual } = props.value; // later values name the checkpoint alone
  let checkpoint = props.value.checkpoint;
  let known = decodeBytes(masks["lower half"]);
  let press = 0,
    running = false,
    seed = 0,
    live = true,
    unread = false; // a part of the walk
  /** @type {ReturnType<typeof openRunSomewhere> | null} */
  let events = null;
  /** @type {Uint8Array[]} */
  let frames = [];
  /** @type {number[]} */
  let times = [];
  /** @type {Record<string, any>} */
  let facts = {}; // what was said of the walk so far
  let place = ""; // where it is made, in words

  const picture = (name, label) =>
    h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name, "aria-label": label });
  const original = picture("x0", say("the digit"));
  const wiper = makeWiper({ known: () => known, onWipe: setKnown });
  const ways = Array.from({ length: n }, (_, k) => {
    const canvas = picture(`completion-${k}`, say("completion {number}: nothing yet", { number: k + 1 })),
      words = h("figcaption", {}, say("nothing yet"));
    return { canvas, words, element: h("figure", {}, canvas, words) };
  });
  const note = h("p", { class: "ddpm-facts", role: "status" }, say("This is the digit from the Noise tab."));
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": say("progress") });
  const slider = makeSlider({
    label: say("step"),
    max: 0,
    value: 0,
    help: say("The four attempts, step by step: the known part is in place at every step, at that step's noise level."),
    describe: () => (times.length ? where() : say("nothing yet")),
    onInput: () => {
      live = false;
      paint();
    },
  });
  slider.element.hidden = true;
  const jumps = makeJumps();
  const go = button(say("Complete"), start, { "data-name": "go" });
  const stop = button(say("Stop"), () => end(say("Stopped.")), { disabled: true, "data-name": "stop" });
  const dice = button(say("Other noise"), () => {
    seed += 1;
    start();
  });

  const where = () => {
    const t = times[slider.value()];
    return t === undefined ? say("not read") : t < 0 ? say("finished") : `t = ${t}`;
  };
  function makeJumps() {
    const id = newId("jumps");
    const input = h("input", {
      type: "range",
      id,
      min: 0,
      max: most,
      step: 1,
      value: usual,
      "aria-describedby": `${id}-help`,
      oninput: show,
    });
    const output = h("output", { for: id, class: "ddpm-value", "aria-live": "off" });
    function show() {
      output.textContent = input.value;
    }
    show();
    return {
      value: () => Number(input.value),
      element: h(
        "div",
        { class: "ddpm-slider" },
        h("div", { class: "ddpm-slider-head" }, h("label", { for: id }, say("jumps")), output),
        input,
        h("p", { id: `${id}-help`, class: "ddpm-help" }, WHY),
      ),
    };
  }
  function setKnown(next) {
    known = next;
    showGiven();
    outdated();
  }
  function showGiven() {
    if (!state.digit) return;
    paintFloats(original, state.digit.x0);
    original.setAttribute("aria-label", state.digit.name);
    paintKnown(wiper.canvas, state.digit.x0, known);
    const wiped = known.reduce((sum, one) => sum + 1 - one, 0);
    wiper.canvas.setAttribute(
      "aria-label",
      say("the given part: {wiped} of {all} pixels are wiped out", { wiped, all: PIXELS }),
    );
    wiper.canvas.dataset.wiped = String(wiped);
  }
  /** What stands there belongs to another digit or another part; nothing that still comes will change that. */
  function outdated() {
    if (running) end(say("Stopped: the given part has changed."));
    for (const way of ways) way.element.classList.toggle("ddpm-waiting", times.length > 0);
  }
  async function start() {
    if (running || !state.digit) return;
    running = true;
    const mine = ++press;
    frames = [];
    times = [];
    live = true;
    facts = {};
    place = "";
    unread = false;
    go.disabled = dice.disabled = true;
    stop.disabled = bar.hidden = false;
    bar.value = 0;
    slider.pause();
    note.textContent = say(
      "Completing: the network walks from noise to a digit, and at every step the given part is put back.",
    );
    for (const way of ways) way.words.textContent = "…";
    const x0 = encodeFloat32(state.digit.x0),
      question = { checkpoint, x0, known: encodeBytes(known), jumps: jumps.value(), seed };
    const { run, error } = await answerTo(server.complete_digit(question));
    if (!ours(mine)) return;
    if (error) return end(sentence(error));
    const read = (/** @type {Uint8Array} */ digits) =>
      answerTo(server.read_digits({ digits: encodeBytes(digits), x0 }));
    events = openRunSomewhere(run, makeCompletion(read), {
      take: (got) => next(() => take(got, mine)),
      source: (words) => {
        place = words && sentence(words);
      },
      say: (words) => {
        note.textContent = words;
      },
      ended: (fault) => next(() => finish(fault, mine)),
    });
  }
  const ours = (/** @type {number} */ mine) => mine === press && running; // not of a walk that was stopped
  function end(words) {
    events?.close();
    events = null;
    running = false;
    go.disabled = dice.disabled = false;
    stop.disabled = bar.hidden = true;
    note.textContent = words;
    if (times.at(-1) === -1)
      root.dataset.completed = String(Number(root.dataset.completed ?? 0) + 1); // a lesson waits for it
    else for (const way of ways) if (way.words.textContent === "…") way.words.textContent = say("not finished");
  }
  function paint() {
    const k = slider.value();
    if (!frames[k]) return;
    ways.forEach(({ canvas, element: figure }, i) => {
      paintGrid(canvas, frames[k].subarray(i * PIXELS, (i + 1) * PIXELS), 1, 28, 0);
      canvas.setAttribute("aria-label", say("completion {number}, {where}", { number: i + 1, where: where() }));
      canvas.dataset.t = String(times[k]);
      figure.classList.remove("ddpm-waiting");
    });
  }
  async function take(got, mine) {
    if (!ours(mine)) return;
    /** @type {Uint8Array | null} */
    let levels = null;
    try {
      if (got.x_t) levels = await greyOf(got.x_t);
    } catch (fault) {
      report(fault); // what else the message says counts all the same
      unread = true;
    }
    if (!ours(mine)) return;
    facts = { ...facts, ...got };
    if (levels) {
      frames[got.first] = levels;
      times[got.first] = got.t;
      slider.element.hidden = false;
      slider.setMax(times.length - 1);
      if (live) {
        slider.set(times.length - 1);
        paint();
      }
      bar.value = got.done;
    }
    if (got.t === -1) note.textContent = madeWords();
  }
  /**
   * @param {string} fault why it ended before it was whole, if it did
   * @param {number} mine
   */
  function finish(fault, mine) {
    if (!ours(mine)) return;
    if (fault) return end(`${facts.t === -1 ? `${madeWords()} ` : ""}${sentence(fault)}`);
    const { classes, of_x0, accuracy } = facts;
    classes.forEach((digit, k) => {
      ways[k].words.textContent = say("read as a {digit}", { digit });
    });
    const alike = classes.filter((digit) => digit === of_x0).length;
    const judged = say(
      "The judge reads {some} of the four as a {digit}, as it reads the whole digit; it gets {share:.2f} % of MNIST's {all:,} test digits right.",
      { some: IN_WORDS[alike], digit: of_x0, share: 100 * accuracy, all: 10_000 },
    );
    end(`${madeWords()} ${judged}`);
  }
  function madeWords() {
    const { checkpoint: name, guide, calls, jumps: each, seconds, difference } = facts;
    const made = {
      name,
      guide,
      seed,
      calls: say("{calls} network call|{calls} network calls", { calls }),
      jumps: say("{jumps} jump a step|{jumps} jumps a step", { jumps: each }),
      seconds,
    };
    return inRow([
      guide
        ? say(
            "Completed by {name} with its guide {guide}, seed {seed}: {calls} of each, {jumps}, {seconds:.1f} s.",
            made,
          )
        : say("Completed by {name}, seed {seed}: {calls}, {jumps}, {seconds:.1f} s.", made),
      difference === 0
        ? say("The known part differs from what was given in no pixel.")
        : say("The known part differs from what was given by up to {most}.", { most: figure(difference, 2) }),
      place,
      unread ? say("A part of the film could not be read: its pictures are missing.") : "",
    ]);
  }

  const caption = (canvas, text) => h("figure", {}, canvas, h("figcaption", {}, text));
  const masked = Object.entries(masks).map(([name, text]) =>
    button(MASKS[name], () => setKnown(decodeBytes(text)), { "data-mask": name }),
  );
  const root = h(
    "div",
    { class: "ddpm-completion" },
    h(
      "div",
      { class: "ddpm-pictures ddpm-given-row" },
      caption(original, say("the digit x₀")),
      h("figure", {}, wiper.element, h("figcaption", {}, say("the given part"))),
    ),
    wiper.help,
    h(
      "div",
      { class: "ddpm-row" },
      h("span", {}, say("Wipe out:")),
      ...masked,
      button(say("Wipe out nothing"), () => setKnown(new Uint8Array(PIXELS).fill(1)), { "data-mask": "nothing" }),
    ),
    jumps.element,
    h("div", { class: "ddpm-row" }, go, dice, stop),
    bar,
    h("div", { class: "ddpm-pictures ddpm-ways" }, ...ways.map((way) => way.element)),
    slider.element,
    note,
    makePad(server, (digit) => update(readValue({ digit }))),
  );
  placeIn(element).replaceChildren(root);
  subscribe(root, (changes) => {
    if (changes.digit) {
      showGiven();
      outdated();
    }
  });
  const next = inOrder(() => {
    unread = true;
  });
  watch("value", () => {
    checkpoint = props.value.checkpoint;
  });
  showGiven();
}
