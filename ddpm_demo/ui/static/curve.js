// A plain line chart on a canvas, for the first screen: there at once, where Plotly's script takes a second to load.
import { colours, contextOf, h, number, onPaper } from "./dom.js";
import { watchStrokes } from "./strokes.js";
import { decimalsOf } from "./words.js";

const LEFT = 52,
  RIGHT = 8,
  TOP = 8,
  BOTTOM = 26,
  TWO_ROWS = 42,
  NARROW = 260; // pixels: in less the names of lines across stand in the legend
/** @type {Record<string, number[]>} */
const DASHES = { solid: [], dash: [7, 4], dot: [2, 3] };

/**
 * `level` is a line across, `levels` are several. A series is a line, or dots (`points`), or circles (`rings`); with
 * `numbers` its values are written above it; without `x` they stand at 0, 1, ..., where `names` stand too.
 * @typedef {{name: string, colour: string, dash?: string, x?: number[], y: number[] | Float64Array, points?: boolean,
 *            rings?: boolean, numbers?: boolean}} Series
 * @typedef {{label: string, x: [number, number], y: [number, number], log?: boolean, names?: string[],
 *            level?: {y: number, text: string}, levels?: {y: number, text: string}[], series: Series[]}} Drawing
 */

/**
 * Round numbers that divide [low, high] into about `count` parts.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 */
export function ticks(low, high, count) {
  const rough = (high - low) / count,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((k) => k * power >= rough) ?? 10) * power;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}
/**
 * Powers of ten in [low, high], and twice and five times as much.
 * @param {number} low
 * @param {number} high
 */
export function logTicks(low, high) {
  const found = [];
  for (let k = Math.floor(Math.log10(low)); 10 ** k <= high; k++)
    found.push(...[1, 2, 5].map((each) => each * 10 ** k));
  const inside = found.filter((value) => value >= low && value <= high);
  return inside.length > 1 ? inside : ticks(low, high, 3); // so little apart that powers of ten pass it by
}
function written(/** @type {number} */ value) {
  if (value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 10_000)) return value.toExponential(0);
  const rounded = Number(value.toFixed(2));
  return number(rounded, decimalsOf(rounded));
}

/** @param {Drawing} chart */
const levelsOf = (chart) => (chart.level ? [chart.level] : (chart.levels ?? []));

/** @param {{xTitle: string, onPick?: (x: number) => void}} options onPick is told where the student presses or drags */
export function makeCurve({ xTitle, onPick }) {
  const canvas = h("canvas", { class: "ddpm-curve", role: "img" });
  const legend = h("p", { class: "ddpm-small ddpm-legend" });
  const element = h("div", {}, canvas, legend);
  /** @type {Drawing | null} */
  let chart = null;
  /** @type {number | null} */
  let cursor = null;
  let waiting = 0;
  const same = (/** @type {number} */ v) => v;
  const place = { x: same, y: same, back: same };

  /** @param {Drawing} next */
  function draw(next) {
    chart = next;
    canvas.setAttribute("aria-label", next.label);
    legend.replaceChildren(
      ...next.series.map(({ name, colour, dash, rings }) =>
        h(
          "span",
          {},
          rings
            ? h("span", { class: "ddpm-legend-ring", style: `border: 2px solid ${colour}` })
            : h("span", {
                class: "ddpm-legend-line",
                style: `border-top: 3px ${dash === "dash" ? "dashed" : dash === "dot" ? "dotted" : "solid"} ${colour}`,
              }),
          name,
        ),
      ),
      ...levelsOf(next).map(({ text }) =>
        h(
          "span",
          { class: "ddpm-legend-level" },
          h("span", { class: "ddpm-legend-line", style: "border-top: 2px dashed currentcolor" }),
          text,
        ),
      ),
    );
    repaint();
  }
  /** @param {number | null} x */
  function setCursor(x) {
    cursor = x;
    repaint();
  }
  function repaint() {
    if (!waiting)
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        paint();
      });
  }
  function paint() {
    if (!chart || !canvas.clientWidth) return;
    const ratio = devicePixelRatio,
      bottom = chart.names ? TWO_ROWS : BOTTOM,
      width = canvas.clientWidth,
      height = canvas.clientHeight;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = contextOf(canvas),
      { text, line } = colours(canvas);
    context.scale(ratio, ratio);
    context.font = "14px system-ui, sans-serif";
    const [x0, x1] = chart.x,
      map = chart.log ? Math.log10 : same,
      [y0, y1] = chart.y.map(map);
    place.x = (v) => LEFT + ((v - x0) / (x1 - x0)) * (width - LEFT - RIGHT);
    place.y = (v) => TOP + (1 - (map(v) - y0) / (y1 - y0)) * (height - TOP - bottom);
    place.back = (pixel) => x0 + ((pixel - LEFT) / (width - LEFT - RIGHT)) * (x1 - x0);
    context.fillStyle = text;
    context.strokeStyle = line;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of chart.log ? logTicks(...chart.y) : ticks(...chart.y, 4)) {
      stroke(context, [
        [x0, value],
        [x1, value],
      ]);
      context.fillText(written(value), LEFT - 6, place.y(value));
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const end = width - RIGHT - context.measureText(xTitle).width - 24; // the title stands at the end of the numbers
    if (chart.names) nameColumns(context, chart.names, width, height);
    else
      for (const value of ticks(x0, x1, width < 420 ? 4 : 8))
        if (place.x(value) < end) context.fillText(written(value), place.x(value), height - 6);
    context.textAlign = "right";
    if (!chart.names) context.fillText(xTitle, width - RIGHT, height - 6, width - RIGHT); // narrower, but whole
    const narrow = width < NARROW;
    legend.classList.toggle("ddpm-legend-whole", narrow);
    for (const { y, text } of levelsOf(chart)) {
      drawLevel(context, y, chart.x);
      if (!narrow) nameLevel(context, y, text, width);
    }
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT - RIGHT, height - bottom + 1);
    context.clip();
    for (const { colour, dash, x, y, points, rings } of chart.series) {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = 2.5;
      context.setLineDash(DASHES[dash ?? "solid"] ?? []);
      if (rings)
        y.forEach((value, k) => {
          context.beginPath();
          context.arc(place.x(x ? x[k] : k), place.y(value), 7, 0, 2 * Math.PI);
          context.stroke();
        });
      else if (points)
        y.forEach((value, k) => context.fillRect(place.x(x ? x[k] : k) - 1.5, place.y(value) - 1.5, 3, 3));
      else
        stroke(
          context,
          Array.from(y, (value, k) => [x ? x[k] : k, value]),
        );
    }
    context.restore();
    if (cursor !== null) {
      context.strokeStyle = text;
      context.lineWidth = 1.5;
      stroke(context, [
        [cursor, chart.y[0]],
        [cursor, chart.y[1]],
      ]);
      for (const { colour, y, x } of chart.series) {
        if (x || y[cursor] === undefined) continue;
        context.fillStyle = colour;
        context.beginPath();
        context.arc(place.x(cursor), place.y(y[cursor]), 5, 0, 2 * Math.PI);
        context.fill();
      }
    }
    for (const { y, numbers } of chart.series) if (numbers) writeNumbers(context, y);
    element.dataset.cursor = String(cursor ?? "");
  }
  /**
   * The names below their places: in two rows, the first above the second, where one row is too narrow.
   * @param {CanvasRenderingContext2D} context
   * @param {string[]} names
   * @param {number} width
   * @param {number} height
   */
  function nameColumns(context, names, width, height) {
    const room = (width - LEFT - RIGHT) / names.length,
      widths = names.map((name) => context.measureText(name).width),
      rows = widths.some((each) => each > room - 4) ? 2 : 1;
    /** @type {[number, number][][]} what is taken of each row */
    const taken = [[], []];
    // the first and the last are always named, and between them whoever has the room: words have many lengths
    for (const k of new Set([0, names.length - 1, ...names.keys()])) {
      const row = taken[rows === 2 && k % 2 === 0 ? 0 : 1],
        at = Math.min(place.x(k), width - widths[k] / 2), // the last one, too, is all there
        [from, to] = [at - widths[k] / 2 - 3, at + widths[k] / 2 + 3];
      if (row.some(([start, end]) => from < end && start < to)) continue;
      row.push([from, to]);
      context.fillText(names[k], at, height - 6 - (row === taken[0] ? 15 : 0));
    }
  }
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} y
   * @param {[number, number]} ends
   */
  function drawLevel(context, y, ends) {
    context.save();
    context.setLineDash([6, 4]);
    context.strokeStyle = context.fillStyle;
    stroke(context, [
      [ends[0], y],
      [ends[1], y],
    ]);
    context.restore();
  }
  /**
   * Below it and at the right, where a growing curve is far above, unless the axis is there; narrower, but whole.
   * @param {CanvasRenderingContext2D} context
   * @param {number} y
   * @param {string} text
   * @param {number} width
   */
  function nameLevel(context, y, text, width) {
    const under = place.y(y) + 14,
      low = under > canvas.clientHeight - BOTTOM;
    context.fillText(text, width - RIGHT, low ? under - 20 : under, width - LEFT - RIGHT);
  }
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Series["y"]} y
   */
  function writeNumbers(context, y) {
    context.textAlign = "center";
    context.fillStyle = colours(canvas).text;
    y.forEach((value, k) => context.fillText(written(value), place.x(k), place.y(value) - 11));
  }
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number[][]} points
   */
  function stroke(context, points) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(place.x(x), place.y(y));
    context.stroke();
  }
  if (onPick) {
    canvas.classList.add("ddpm-draggable");
    watchStrokes(canvas, {
      alone: true,
      draw: (_stroke, _from, to) => onPick(place.back(to.x - canvas.getBoundingClientRect().left)),
      drop: () => {}, // the cursor stays where it was led
    });
  }
  new ResizeObserver(repaint).observe(canvas);
  onPaper(paint); // at once: no frame comes before the page is printed
  new MutationObserver(repaint).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light or dark
  return { element, draw, setCursor };
}
