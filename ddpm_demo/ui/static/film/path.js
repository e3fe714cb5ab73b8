// The film's digits as trails on MNIST's principal plane, following the film's slider.
import { decodeFloat32 } from "../bytes.js";
import { makeChart } from "../chart.js";
import { h, select, settled } from "../dom.js";
import { film, onFilm } from "./film_state.js";

export function mount(element, props, watch, server) {
  const chart = makeChart();
  const note = h("p", { class: "ddpm-help", role: "status" }, "The cloud of real digits is being computed.");
  const which = select("draw the way of", { x_t: "xₜ, the picture", x0_hat: "x̂₀, the clean image it implies" }, () => draw());
  const trailsOf = new Map(); // run -> the server's answer, of the newest film only
  let cloud = null, asked = ""; // asked: the film, and how much of it, that the trails were last asked for
  element.querySelector(".ddpm-mount").replaceChildren(which.element, chart.element, note);

  function traces() {
    const trails = trailsOf.get(film.run);
    if (!trails) return [];
    const where = trails[which.input.value], last = Math.min(film.index, trails.frames - 1);
    const at = (frame, digit, axis) => where[2 * (frame * trails.n + digit) + axis];
    const x = [], y = [], endX = [], endY = [];
    for (let digit = 0; digit < trails.n; digit++) {
      for (let frame = 0; frame <= last; frame++) { x.push(at(frame, digit, 0)); y.push(at(frame, digit, 1)); }
      x.push(null); y.push(null); // lift the pen
      endX.push(at(last, digit, 0)); endY.push(at(last, digit, 1));
    }
    const numbers = endX.map((_, digit) => `digit ${digit + 1}`);
    return [
      { type: "scatter", mode: "lines", x, y, line: { color: "#888888", width: 1.5 }, hoverinfo: "skip", name: "the way", showlegend: false },
      { type: "scatter", mode: "markers", x: endX, y: endY, text: numbers, hovertemplate: "%{text}<extra></extra>", name: "the film",
        marker: { size: 11, color: "#D55E00", line: { width: 2, color: "#ffffff" } } },
    ];
  }
  let drawing = false, again = false;
  async function draw() {
    if (!cloud) return;
    if (drawing) { again = true; return; }
    drawing = true;
    const step = film.steps[film.index], trails = traces();
    await chart.draw({ ...cloud, figure: { ...cloud.figure, data: [...cloud.figure.data, ...trails] } });
    if (trails.length) note.textContent = `${film.n} ${film.n === 1 ? "digit" : "digits"}, ${step.t < 0 ? "finished" : `t = ${step.t}`}.`;
    chart.element.dataset.frame = trails.length ? film.index : "";
    drawing = false;
    if (again) { again = false; draw(); }
  }
  const fetchTrails = settled(async () => {
    const run = film.run, wanted = `${run} ${film.frames.length}`;
    if (!cloud || !run || wanted === asked) return;
    asked = wanted;
    const answer = await server.path_trails({ run });
    if (answer.error) { note.textContent = answer.error; return; }
    trailsOf.clear();
    trailsOf.set(run, { ...answer, x_t: decodeFloat32(answer.x_t), x0_hat: decodeFloat32(answer.x0_hat) });
    draw();
  }, 400);
  let seen = false; // the cloud takes a second or two of the server's: only for who comes to look
  new IntersectionObserver(async (entries) => {
    if (seen || !entries.at(-1).isIntersecting) return;
    seen = true;
    const answer = await server.path_cloud(null);
    if (answer.error) { note.textContent = answer.error; return; }
    cloud = answer;
    note.textContent = "Press Generate above: the film's digits appear here.";
    await draw();
    fetchTrails();
  }).observe(element);
  onFilm((changes) => { if (changes.arrived) fetchTrails(); if (seen) draw(); });
}
