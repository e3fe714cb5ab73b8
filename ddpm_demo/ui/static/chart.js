// A Plotly chart that keeps its zoom and wears the page's colours, optionally with a cursor to drag. It is
// drawn only where it can be seen: loading Plotly alone stops a page for half a second, for several on an old laptop.
import { rootPath } from "./component.js";
import { colours, h } from "./dom.js";
import { canvasIsReadable } from "./readable.js";
import { GREY } from "./palette.js";
import { number, say } from "./words.js";

const NEAR = "200px"; // so far below the window a chart is drawn already
const HEIGHT = 450; // Plotly's own
const MARKS = number(0.5, 1)[1] + number(10_000, 0, true)[2]; // of decimals and of thousands, as the language has them

/**
 * What Python made: a figure for Plotly, where its script is, and the words for those who cannot see it.
 * @typedef {{figure: {data: any[], layout: Record<string, any>}, plotly: string, label: string}} Chart
 */

/** @type {Promise<any> | null} */
let plotly = null;

/**
 * Load the plotly.min.js of the installed plotly package, once; again if it could not be had.
 * @param {string} url
 */
function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const got = () => resolve(/** @type {any} */ (window).Plotly);
    const failed = () => {
      plotly = null;
      reject(new Error(say("the server did not give {address}", { address: "Plotly" })));
    };
    document.head.append(h("script", { src: rootPath() + url, onload: got, onerror: failed }));
  });
  return plotly;
}

/** @param {(x: number) => void} [onCursor] called when the student drags the cursor, with its new place */
export function makeChart(onCursor) {
  /** @type {HTMLDivElement & {layout?: object, on?: any}} */
  const place = h("div", { class: "ddpm-chart", role: "figure" }); // Plotly adds to it
  /** @type {any} */
  let Plotly = null;
  /** @type {Chart} */
  let value;
  /** @type {number | null} */
  let cursor = null;
  let waiting = 0;
  let seen = false,
    late = false; // whether it can be seen, and whether something has changed while it could not

  /** Whether there is a drawing to change; if not, the next one shows everything, or the first, which is under way. */
  function drawn() {
    late ||= !seen;
    return !late && Boolean(place.layout);
  }
  function shapes() {
    // one line across all rows: at a place on the x axis, and over the height of the paper
    const line = {
      type: "line",
      xref: "x",
      yref: "paper",
      x0: cursor,
      x1: cursor,
      y0: 0,
      y1: 1,
      opacity: 0.7,
      line: { width: 4, color: GREY },
    };
    return [...(value.figure.layout.shapes ?? []), ...(cursor === null ? [] : [line])];
  }
  /** @param {Chart} next */
  async function draw(next) {
    value = next;
    place.style.minHeight = `${value.figure.layout.height ?? HEIGHT}px`; // what stands below it need not move
    late = !seen;
    if (late) return;
    Plotly ??= await loadPlotly(value.plotly);
    const { text, line } = colours(place);
    const layout = structuredClone(value.figure.layout);
    Object.assign(layout, {
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      font: { color: text, family: "inherit" },
      uirevision: "keep",
      autosize: true,
      shapes: shapes(),
      separators: MARKS,
      legend: { orientation: "h", y: 1.06, yanchor: "bottom" },
      hoverlabel: { font: { color: "#111" }, bgcolor: "#fff" },
    });
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis/.test(key))])) {
      layout[name] = Object.assign(layout[name] ?? {}, { gridcolor: line, zerolinecolor: line, linecolor: line });
    }
    place.setAttribute("aria-label", value.label);
    const first = !place.layout;
    await Plotly.react(place, structuredClone(value.figure.data), layout, {
      responsive: true,
      displaylogo: false,
      // Plotly reads its picture back from a canvas; where the browser hides it, a drawing of lines needs none
      toImageButtonOptions: { format: canvasIsReadable() ? "png" : "svg" },
      displayModeBar: matchMedia("(max-width: 600px)").matches ? false : "hover", // on a phone it would lie on the legend
      edits: { shapePosition: Boolean(onCursor) }, // shapes below the curves, like shading, stay where they are
    });
    if (first && onCursor) {
      place.on("plotly_relayout", (/** @type {Record<string, any>} */ change) => {
        const key = Object.keys(change).find((name) => /^shapes\[\d+\]\.x0$/.test(name));
        if (key) onCursor(change[key]);
      });
    }
  }
  /**
   * Move the last traces, and draw no others: a fifth of the time of drawing all, in a chart of 1,500 points.
   * @param {{x: any, y: any}[]} traces
   */
  async function move(traces) {
    const { data } = value.figure,
      first = data.length - traces.length;
    value = { ...value, figure: { ...value.figure, data: [...data.slice(0, first), ...traces] } };
    if (!drawn()) return;
    const at = traces.map((_, k) => first + k),
      moved = traces.map(({ x, y }) => ({ x, y }));
    const now = { mode: "immediate", frame: { redraw: false, duration: 0 }, transition: { duration: 0 } };
    await Plotly.animate(place, { data: moved, traces: at }, now).catch(() => {}); // a newer one has taken its place
  }
  /** @param {number | null} x */
  function setCursor(x) {
    cursor = x;
    if (!drawn() || waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      Plotly.relayout(place, { shapes: shapes() });
    });
  }
  new IntersectionObserver(
    (entries) => {
      seen = entries[entries.length - 1].isIntersecting;
      if (seen && late && value) draw(value);
    },
    { rootMargin: NEAR },
  ).observe(place);
  new MutationObserver(() => value && draw(value)).observe(document.body, {
    attributes: true,
    attributeFilter: ["class"],
  });
  return { element: place, draw, move, setCursor };
}
