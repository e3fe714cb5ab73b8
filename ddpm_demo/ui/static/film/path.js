// The film's digits as trails on MNIST's principal plane, following the film's slider.
import { answerTo, placeIn } from "../component.js";
import { decodeFloat32 } from "../bytes.js";
import { makeChart } from "../chart.js";
import { h, select, settled } from "../dom.js";
import { report } from "../in_order.js";
import { say } from "../words.js";
import { film, onFilm } from "./film_state.js";
import { GREY, ORANGE } from "../palette.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const chart = makeChart();
  const note = h("p", { class: "ddpm-help", role: "status" }, say("The cloud of real digits is being computed."));
  const which = select(
    say("draw the path of"),
    { x_t: say("xₜ, the picture"), x0_hat: say("x̂₀, the clean image it implies") },
    () => draw(),
  );
  /** @typedef {{x_t: Float32Array, x0_hat: Float32Array, n: number, frames: number}} Trails */
  /** @type {Map<string | null, Trails>} */
  const trailsOf = new Map(); // by run, of the newest film only
  /** @type {import("../chart.js").Chart | null} */
  let cloud = null;
  /** @type {{mean: Float32Array, components: Float32Array} | null} */
  let plane = null;
  let asked = ""; // the film, and how much of it, that the trails were last asked for
  const where = h("p", { class: "ddpm-help" }); // changes with every frame: not to be said each time
  placeIn(element).replaceChildren(which.element, chart.element, note, where);

  function traces() {
    const trails = trailsOf.get(film.run);
    if (!trails) return [];
    const where = which.input.value === "x_t" ? trails.x_t : trails.x0_hat,
      last = Math.min(film.index, trails.frames - 1);
    const at = (/** @type {number} */ frame, /** @type {number} */ digit, /** @type {0 | 1} */ axis) =>
      where[2 * (frame * trails.n + digit) + axis];
    /** @type {(number | null)[]} */
    const x = [];
    /** @type {(number | null)[]} */
    const y = [];
    /** @type {number[]} */
    const endX = [];
    /** @type {number[]} */
    const endY = [];
    for (let digit = 0; digit < trails.n; digit++) {
      for (let frame = 0; frame <= last; frame++) {
        x.push(at(frame, digit, 0));
        y.push(at(frame, digit, 1));
      }
      x.push(null);
      y.push(null); // lift the pen
      endX.push(at(last, digit, 0));
      endY.push(at(last, digit, 1));
    }
    const numbers = endX.map((_, digit) => say("digit {place}", { place: digit + 1 }));
    return [
      {
        type: "scatter",
        mode: "lines",
        x,
        y,
        line: { color: GREY, width: 1.5 },
        hoverinfo: "skip",
        name: say("the way"),
        showlegend: false,
      },
      {
        type: "scatter",
        mode: "markers",
        x: endX,
        y: endY,
        text: numbers,
        hovertemplate: "%{text}<extra></extra>",
        name: say("the film"),
        marker: { size: 11, color: ORANGE, line: { width: 2, color: "#ffffff" } },
      },
    ];
  }
  let drawing = false,
    again = false;
  /** @type {Trails | null | undefined} */
  let drawn; // the trails that the chart has
  /** While it is looked at: a chart takes a tenth of a second, and a film that arrives has fifty frames. */
  async function draw() {
    if (!cloud || !seen) return;
    if (drawing) {
      again = true;
      return;
    }
    drawing = true;
    try {
      await drawNow(cloud);
    } catch (fault) {
      report(fault);
      note.textContent = say("The chart could not be drawn.");
    }
    drawing = false;
    if (again) {
      again = false;
      draw();
    }
  }
  /** @param {import("../chart.js").Chart} cloud */
  async function drawNow(cloud) {
    const step = film.steps[film.index],
      trails = traces(),
      whole = trailsOf.get(film.run) ?? null;
    if (whole === drawn) await (trails.length && chart.move(trails));
    else
      await chart.draw({
        ...cloud,
        figure: { ...cloud.figure, layout: framed(cloud.figure, whole), data: [...cloud.figure.data, ...trails] },
      });
    drawn = whole;
    if (trails.length) note.textContent = "";
    if (trails.length)
      where.textContent =
        step.t < 0
          ? say("{n} digit, finished.|{n} digits, finished.", { n: film.n })
          : say("{n} digit, t = {t}.|{n} digits, t = {t}.", { n: film.n, t: step.t });
    chart.element.dataset.frame = trails.length ? String(film.index) : "";
  }
  /**
   * The chart's layout, with room for the cloud and for the whole of both ways.
   * @param {import("../chart.js").Chart["figure"]} figure
   * @param {Trails | null} trails
   */
  function framed(figure, trails) {
    const axis = (/** @type {"x" | "y"} */ name, /** @type {0 | 1} */ k) => {
      const real = figure.data.flatMap((trace) => trace[name]);
      const ways = trails ? [...trails.x_t, ...trails.x0_hat].filter((_, i) => i % 2 === k) : [];
      const all = [...real, ...ways],
        least = Math.min(...all),
        most = Math.max(...all),
        margin = 0.05 * (most - least);
      return { ...figure.layout[`${name}axis`], range: [least - margin, most + margin] };
    };
    return { ...figure.layout, xaxis: axis("x", 0), yaxis: axis("y", 1) };
  }
  const fetchTrails = settled(async () => {
    const run = film.run,
      wanted = `${run} ${film.frames.length}`;
    if (!cloud || !seen || !run || wanted === asked) return;
    asked = wanted;
    trailsOf.clear();
    if (film.device && plane) trailsOf.set(run, film.device.trails(plane));
    else {
      const answer = await answerTo(server.path_trails({ run }));
      if (answer.error) {
        note.textContent = answer.error;
        asked = ""; // the next part of the film asks again
        return;
      }
      trailsOf.set(run, { ...answer, x_t: decodeFloat32(answer.x_t), x0_hat: decodeFloat32(answer.x0_hat) });
    }
    draw();
  }, 400);
  let seen = false,
    asking = false;
  /** The cloud takes a second or two of the server's: it is for who comes to look, not for who passes by. */
  const look = settled(async () => {
    if (!seen || asking) return;
    if (!cloud) {
      asking = true;
      const answer = await answerTo(server.path_cloud(null));
      asking = false;
      if (answer.error) {
        note.textContent = answer.error;
        return;
      }
      cloud = answer;
      plane = { mean: decodeFloat32(answer.mean), components: decodeFloat32(answer.components) };
      note.textContent = say("Press Generate above: the film's digits appear here.");
    }
    await draw();
    fetchTrails();
  }, 300);
  new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    look();
  }).observe(element);
  onFilm((changes) => {
    if (seen && changes.arrived) fetchTrails();
    draw();
  });
}
