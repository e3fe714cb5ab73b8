// The Train tab below its settings: the run in training, or any other on the shelf, as it goes on.
import { answerTo, placeIn } from "../component.js";
import { button, duration, h } from "../dom.js";
import { makeCurve } from "../curve.js";
import { figure } from "../figures.js";
import { keepKey, myKeys } from "../keys.js";
import { makeCharts } from "./train_charts.js";
import { makeFilm } from "./train_film.js";
import { makeGrids } from "./train_grids.js";
import { makeQueue } from "./train_queue.js";
import { makeShelf } from "./train_shelf.js";
import { BLUE, ORANGE } from "../palette.js";
import { say } from "../words.js";

const QUICK = 2000,
  SLOW = 3000; // milliseconds between two questions: while it trains, and else
// Between two drawings of the charts: on two cores, drawing them takes time from the trainer.
const CHARTS = 10000;

let watchNow = (/** @type {string} */ _id) => {};
/** Show a run on the tab, as if it had been chosen among the runs. */
export const watchRun = (/** @type {string} */ id) => watchNow(id);

let offerNow = (/** @type {() => Promise<any>} */ _ask) => {};
/** Ask the visitor whether a run may wait until the trainer is free; `ask` lets it wait, and answers with its key. */
export const offerQueue = (/** @type {() => Promise<any>} */ ask) => offerNow(ask);

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  let allowed = false,
    run = null,
    sitting = "",
    offset = 0,
    lines = [],
    latest = {},
    timer = 0,
    visible = false,
    asking = false;
  let drawn = -Infinity,
    undrawn = false,
    comparable = false,
    levels = [];
  const phase = h("h2", { "aria-live": "polite" }, say("No run yet"));
  const facts = h("p", { class: "ddpm-facts" }, say("Everything below fills up while a network learns."));
  const note = h("p", { class: "ddpm-note", role: "status" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": say("progress of the training") });
  const buttons = {
    pause: button(say("❚❚ Pause"), () => control({ action: "pause" })),
    "go on": button(say("▶ Go on"), () => control({ action: "go on" })),
    stop: button(say("■ Stop and save"), () => control({ action: "stop" })),
  };
  const controls = h("div", { class: "ddpm-row", hidden: true }, ...Object.values(buttons));
  const curve = makeCurve({ xTitle: say("minutes of training") });
  const every = h(
    "details",
    {
      class: "ddpm-details",
      ontoggle: () => {
        if (every.open) charts.draw(lines, comparable);
      },
    },
    h("summary", {}, say("Every measurement: learning rate, pace, and which timesteps are hard")),
  );
  const charts = makeCharts();
  every.append(charts.element);
  const grids = makeGrids(server);
  const film = makeFilm(server);
  const queue = makeQueue(server, () => ask());
  const shelf = makeShelf(server, {
    watch: (id) => watchNow(id),
    resume: async (id) => {
      if (await control({ action: "resume", run: id })) begin(id);
    },
    changed: () => ask(),
  });
  const watched = h("div", { hidden: true }, every, film.element);
  const whole = h(
    "section",
    { class: "ddpm-train", "aria-label": say("training") },
    phase,
    bar,
    facts,
    note,
    queue.element,
    controls,
    h(
      "div",
      { class: "ddpm-stage ddpm-train-stage" },
      h("figure", {}, curve.element, h("figcaption", {}, say("the loss, log scale"))),
      grids.element,
    ),
    grids.copied,
    watched,
    shelf.element,
  );
  placeIn(element).replaceChildren(whole);

  watchNow = (id) => {
    begin(id);
    phase.scrollIntoView({ block: "nearest" });
  };
  offerNow = queue.offer;
  function begin(id) {
    Object.assign(whole.dataset, { run: id ?? "", lines: 0, step: "" });
    run = id;
    sitting = "";
    offset = 0;
    lines = [];
    latest = {};
    charts.clear();
    drawCurve();
    grids.show(run, [], {});
    film.show(run, []);
    ask();
  }
  async function control(question) {
    const answer = await answerTo(server.control({ ...question, keys: myKeys() }));
    note.textContent = answer.error ?? "";
    await ask();
    shelf.refresh();
    return !answer.error;
  }
  async function ask() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    const asked = run;
    try {
      const answer = await server.live({ run, sitting, offset, keys: myKeys() });
      if (asked === run) take(answer);
    } catch {
      phase.textContent = say("The server does not answer");
      facts.textContent = say("Is it still running? The run is saved every half-minute and will be found again.");
    }
    asking = false;
    timer = setTimeout(() => visible && !document.hidden && ask(), latest.busy ? QUICK : SLOW);
  }
  function take(answer) {
    const before = latest;
    if (answer.error) {
      // the run that was watched is gone
      note.textContent = answer.error;
      run = null;
      sitting = "";
      lines = [];
      latest = { busy: before.busy };
      watched.hidden = true;
      return;
    }
    latest = answer;
    if (allowed) queue.take(answer);
    // the own run's turn has come: what is shown is that one, unless the visitor looks at another one of the shelf
    if (before.queue?.place && !answer.queue.place && answer.yours && answer.busy !== run && run === before.busy)
      return begin(answer.busy);
    if (answer.busy !== before.busy || answer.phase !== before.phase) shelf.refresh();
    run = answer.run;
    if (answer.lines) {
      comparable = answer.comparable;
      if (answer.fresh) lines = answer.lines;
      else lines.push(...answer.lines);
      ({ sitting, offset } = answer);
      watched.hidden = !lines.some((line) => line.kind === "loss");
      undrawn ||= answer.fresh || answer.lines.length > 0;
      const few = lines.length < 30; // at first much happens, and little is to be drawn
      if (answer.fresh || answer.lines.length > 0) drawCurve();
      if (every.open && undrawn && (answer.fresh || few || !answer.busy || performance.now() - drawn >= CHARTS)) {
        charts.draw(lines, comparable);
        drawn = performance.now();
        undrawn = false;
      }
      const seconds = Object.fromEntries(
        lines.filter((line) => line.kind === "held_out").map((line) => [line.step, line]),
      );
      grids.show(run, answer.pictures, seconds);
      film.show(run, answer.weights, seconds);
    }
    describe();
  }
  function drawCurve() {
    const losses = lines.filter((line) => line.kind === "loss"),
      held = lines.filter((line) => line.kind === "held_out");
    const minutes = (all) => all.map((line) => line.seconds / 60);
    const values = [...losses.map((line) => line.mean), ...held.map((line) => line.loss)].filter((value) => value > 0);
    const beside = comparable && losses.length ? levels.filter(({ y }) => y <= 1 && y > 0.01) : [];
    const shown = values.length ? [...values, ...beside.map(({ y }) => y)] : [0.02, 1.1];
    const least = Math.min(...shown),
      most = Math.max(...shown);
    curve.draw({
      label: say("loss over {minutes:.1f} minutes of training", { minutes: losses.at(-1)?.seconds / 60 || 0 }),
      log: true,
      x: [0, Math.max(0.05, ...minutes(losses))],
      y: [0.8 * least, 1.1 * most],
      levels: beside.map(({ y, text }) => ({
        y,
        text: say("{name}: {loss}", { name: text, loss: Number(y.toPrecision(3)) }),
      })),
      series: [
        {
          name: say("running mean"),
          colour: BLUE,
          dash: "solid",
          x: minutes(losses),
          y: losses.map((line) => line.mean),
        },
        {
          name: say("held-out digits"),
          colour: ORANGE,
          dash: "dot",
          x: minutes(held),
          y: held.map((line) => line.loss),
        },
      ],
    });
  }
  function describe() {
    const mine = latest.busy && latest.busy === run;
    const losses = lines.filter((line) => line.kind === "loss"),
      last = losses.at(-1),
      ended = lines.at(-1)?.kind === "end";
    const state = !mine
      ? last
        ? ended
          ? say("finished")
          : say("stopped; it can be resumed below")
        : say("no run yet")
      : {
          starting: say("starting"),
          training: say("training"),
          paused: say("paused"),
          finishing: say("measuring the result"),
        }[latest.phase];
    const name = shelf.name(run);
    phase.textContent = !last && !mine ? say("No run yet") : name ? say("{name}: {state}", { name, state }) : state;
    if (latest.note && (!latest.busy || latest.phase === "paused")) note.textContent = latest.note;
    else if (mine && latest.phase === "training") note.textContent = "";
    controls.hidden = !allowed || !latest.busy || !latest.yours;
    buttons.pause.disabled = latest.phase !== "training" && latest.phase !== "starting";
    buttons["go on"].disabled = latest.phase !== "paused";
    const step = (mine && latest.step) || last?.step || 0;
    Object.assign(whole.dataset, { run: run ?? "", phase: mine ? latest.phase : "", lines: losses.length, step });
    bar.hidden = !last && !mine;
    if (!last) {
      if (mine) facts.textContent = say("The network and the digits are being prepared.");
      return;
    }
    const total = (mine && latest.total) || last.total,
      seconds = (mine && latest.seconds) || last.seconds;
    bar.value = ended && !mine ? 1 : step / total;
    const recent = losses.slice(-20),
      rate = recent.reduce((sum, line) => sum + line.rate, 0) / recent.length;
    const left = seconds * (total / step - 1);
    facts.replaceChildren(
      [
        ended && !mine
          ? say("step {step:,}", { step })
          : say("step {step:,} of about {total:,}", { step, total: Math.max(step, total) }),
        say("{time} of training", { time: duration(seconds) }),
        ...(mine ? [say("about {time} left", { time: duration(left) })] : []),
        say("{rate:.0f} images/s", { rate }),
      ].join(" · "),
      h("br"),
      [
        say("loss {loss:.4f}", { loss: last.mean }),
        say("learning rate {rate}", { rate: figure(last.lr, 2) }),
        say("the pictures and held-out measurements took {percent:.1f} % of the time", {
          percent: (100 * last.extras) / last.seconds,
        }),
      ].join(" · "),
    );
  }
  const receive = () => {
    const value = props.value;
    if (!value) return;
    allowed = value.allowed;
    shelf.allow(allowed);
    if (!allowed && !lines.length) facts.textContent = "";
    charts.make(value);
    ({ levels } = value);
    keepKey(value.key);
    if (value.run && value.run !== run) begin(value.run);
    if (value.asked) queue.offer(() => server.wait({ action: "join", asked: value.asked, keys: myKeys() }));
  };
  watch("value", receive);
  receive();
  drawCurve();
  new IntersectionObserver(
    (entries) => {
      visible = entries[entries.length - 1].isIntersecting;
      if (visible) {
        ask();
        shelf.refresh();
      }
    },
    { rootMargin: "100000px" },
  ).observe(whole);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && visible) ask();
  });
}
