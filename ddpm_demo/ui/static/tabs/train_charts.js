// The curves of a training run, and its loss per tenth of the timesteps.
import { makeChart } from "../chart.js";
import { h } from "../dom.js";
import { perCent } from "../figures.js";
import { report } from "../in_order.js";
import { say } from "../words.js";

/**
 * @typedef {Record<string, any>} Line one of the run's own record
 * @typedef {{loss: import("../chart.js").Chart, tenths: import("../chart.js").Chart}} Charts
 */

export function makeCharts() {
  const loss = makeChart(),
    tenths = makeChart();
  /** @type {Charts | null} */
  let empty = null; // the charts without their data, as Python made them
  let comparable = false; // with the baselines, whose traces come last
  let drawing = false;
  /** @type {Line[] | null} */
  let next = null;
  const words = h("p", { class: "ddpm-help", "aria-live": "off" });
  const bars = h("div", {}, h("h3", {}, say("Which timesteps are hard?")), tenths.element, words);

  /** @param {Charts} value */
  function make(value) {
    empty ??= value;
  }
  function clear() {
    next = null;
    words.textContent = "";
  }

  /**
   * @param {import("../chart.js").Chart} chart
   * @param {object[]} columns
   */
  const filled = (chart, columns) => ({
    ...chart,
    figure: { ...chart.figure, data: chart.figure.data.map((trace, k) => ({ ...trace, ...columns[k] })) },
  });

  /**
   * @param {Line[]} lines
   * @param {boolean} besides whether the baselines belong beside them
   */
  async function draw(lines, besides) {
    comparable = besides;
    next = lines;
    if (drawing || !empty) return;
    drawing = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await drawNow(now, empty);
      }
    } catch (fault) {
      report(fault);
      words.textContent = say("The charts could not be drawn.");
    }
    drawing = false;
  }
  /**
   * @param {Line[]} now
   * @param {Charts} empty
   */
  async function drawNow(now, empty) {
    const of = (/** @type {string} */ kind) => now.filter((line) => line.kind === kind);
    const losses = of("loss"),
      held = of("held_out"),
      minutes = losses.map((line) => line.seconds / 60),
      beside = empty.tenths.figure.data.slice(2);
    const column = (/** @type {string} */ name) => ({ x: minutes, y: losses.map((line) => line[name]) });
    await loss.draw(
      filled(empty.loss, [
        column("loss"),
        column("mean"),
        { x: held.map((line) => line.seconds / 60), y: held.map((line) => line.loss) },
        column("lr"),
        { x: minutes.slice(1), y: losses.slice(1).map((line) => line.rate) },
        ...beside.map(() => ({ x: comparable ? [0, Math.max(0.05, ...minutes)] : [] })),
      ]),
    ); // the first covers one step
    const training = of("tenths").at(-1)?.tenths,
      measured = held.at(-1)?.tenths;
    if (training) {
      await tenths.draw(
        filled(empty.tenths, [
          { y: training },
          measured ? { y: measured } : {},
          ...beside.map(() => ({ visible: comparable })),
        ]),
      );
      describe(measured ?? training);
    }
  }
  /** @param {number[]} values */
  function describe(values) {
    const low = values[0],
      high = values[9];
    if (!low || !high) return;
    words.textContent = say(
      "For the smallest t {low} of the noise is missed, for the largest {high}. At large t nearly all of xₜ is noise, so the " +
        "network can almost copy what it sees. At small t the noise is a hundredth of the ink and must be told apart from the " +
        "pen's own texture; saying “no noise at all” would cost 1. Little depends on it: an error in ε̂ there hardly changes x̂₀.",
      { low: perCent(low), high: perCent(high) },
    );
  }
  return { element: h("div", {}, loss.element, bars), make, clear, draw };
}
