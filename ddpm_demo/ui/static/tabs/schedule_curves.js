// A line for each schedule, over t, in its own colour and dash.
import { state } from "../state.js";
import { say } from "../words.js";

/**
 * Draw what a function makes of each schedule's alpha_bar.
 * @param {ReturnType<typeof import("../curve.js").makeCurve>} curve
 * @param {string} what is drawn, in words
 * @param {(alphaBar: Float64Array) => Float64Array} of
 */
export function drawSchedules(curve, what, of) {
  const tables = Object.entries(state.tables),
    last = Math.max(...tables.map(([, table]) => table.alphaBar.length)) - 1;
  curve.draw({
    label: say("{what} against t for these schedules: {schedules}", {
      what,
      schedules: Object.keys(state.tables),
    }),
    x: [0, last],
    y: [0, 1],
    series: tables.map(([name, { alphaBar, text, colour, dash }]) => ({
      name: text ?? name,
      colour,
      dash,
      y: of(alphaBar),
    })),
  });
}
