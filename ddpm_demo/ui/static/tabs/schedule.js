// The Schedule tab: alpha_bar against t, the same digit at the same t under each schedule, and every other table on demand.
import { answerTo, placeIn } from "../component.js";
import { makeChart } from "../chart.js";
import { schedulePicker, timestepSlider } from "../controls.js";
import { makeCurve } from "../curve.js";
import { contextOf, h, number } from "../dom.js";
import { figure } from "../figures.js";
import { makeFlowLook } from "./flow_look.js";
import { formula } from "../maths.js";
import { paintFloats } from "../paint.js";
import { drawSchedules } from "./schedule_curves.js";
import { alphaBarAt, mixture, readValue, state, subscribe, update } from "../state.js";
import { say } from "../words.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  if (props.value) update(readValue(props.value)); // else the Noise tab's tables are the newest
  const goTo = (/** @type {number} */ x) => {
    const last = state.tables[state.schedule].alphaBar.length - 1;
    update({ t: Math.min(last, Math.max(0, Math.round(x))) });
  };
  const curve = makeCurve({ xTitle: say("timestep t"), onPick: goTo });
  const chart = makeChart(goTo);
  /** @type {Map<string, {canvas: HTMLCanvasElement, caption: HTMLElement, element: HTMLElement}>} */
  const figures = new Map(); // by name of the schedule
  const pictures = h("div", { class: "ddpm-pictures ddpm-small-pictures" });
  const flow = makeFlowLook();
  const note = h("p", { class: "ddpm-help", role: "status" });
  const every = h(
    "details",
    { class: "ddpm-details", ontoggle: () => drawChart() },
    h("summary", {}, say("Everything a schedule is: ᾱ, √ᾱ, β and SNR, in five linked charts")),
    note,
    chart.element,
  );
  const all = h(
    "div",
    {},
    h(
      "div",
      { class: "ddpm-stage ddpm-curve-stage" },
      h(
        "figure",
        {},
        curve.element,
        h("figcaption", {}, ...formula(say("ᾱ: the share of the variance that is still the digit"))),
      ),
      h(
        "div",
        {},
        timestepSlider(say("The line stands at t, the same t as on the Noise tab; it can be dragged too.")),
        pictures,
        h("div", { class: "ddpm-row" }, schedulePicker()),
      ),
    ),
    flow.element,
    ...(server.schedule_chart ? [every] : []), // the lab has no server that could draw them
  );
  placeIn(element).replaceChildren(all);

  async function drawChart() {
    const own = state.tables.custom?.link;
    if (!every.open || !own) return;
    const answer = await answerTo(server.schedule_chart(own.split(",").map(Number)));
    note.textContent = answer.error ?? "";
    if (!answer.error) await chart.draw(answer);
  }
  /** @param {string} name */
  function figureOf(name) {
    let figure = figures.get(name);
    if (!figure) {
      const canvas = h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name });
      const caption = h("figcaption", {});
      figure = { canvas, caption, element: h("figure", {}, canvas, caption) };
      figures.set(name, figure);
    }
    return figure;
  }
  /** @param {string} name */
  function paintFigure(name) {
    const { canvas, caption } = figureOf(name);
    const { alphaBar, beta, text } = state.tables[name],
      { t } = state,
      named = say("{schedule}:", { schedule: text ?? name });
    if (t < alphaBar.length) {
      if (state.digit && state.noise) paintFloats(canvas, mixture(alphaBarAt(t, name)));
      const snr = 10 * Math.log10(alphaBar[t] / (1 - alphaBar[t]));
      caption.textContent = `${named}\nᾱ = ${figure(alphaBar[t], 4)}\nβ = ${figure(beta[t])}\n${say("SNR {snr} dB", { snr: number(snr, 1) })}`;
    } else {
      contextOf(canvas).clearRect(0, 0, canvas.width, canvas.height);
      caption.textContent = `${named}\n${say("ends at t = {t}", { t: alphaBar.length - 1 })}`;
    }
    canvas.setAttribute("aria-label", caption.textContent);
  }
  function drawCurve() {
    drawSchedules(curve, "alpha_bar", (alphaBar) => alphaBar);
    pictures.replaceChildren(...Object.keys(state.tables).map((name) => figureOf(name).element));
  }
  function paint(changes) {
    if (changes.tables) {
      drawCurve();
      drawChart();
    }
    Object.keys(state.tables).forEach(paintFigure);
    curve.setCursor(state.t);
    chart.setCursor(state.t);
    flow.paint(Boolean(changes.tables));
  }
  subscribe(all, paint);
  watch("value", () => props.value && update(readValue(props.value)));
  paint({ tables: true });
}
