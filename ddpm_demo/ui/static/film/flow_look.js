// The film in flow matching's clothes: the velocity that the network implies, and how straight the path is.
import { answerTo } from "../component.js";
import { makeCurve } from "../curve.js";
import { contextOf, h } from "../dom.js";
import { median } from "../flow.js";
import { formula } from "../maths.js";
import { BLUE } from "../palette.js";
import { paintGrid } from "../paint.js";
import { say } from "../words.js";
import { film, onFilm } from "./film_state.js";

const EULER = 1e-3; // a difference that is float32's own: x̂₀ has the error of ε̂, times 157 at t = 999
const GREY = 127.5; // grey levels in 1
const REACH = 3; // the velocity is shown from -3 to 3, as ε̂ is

/** @param {import("../component.js").Server} server */
export function makeFlow(server) {
  const words = h(
    "p",
    { class: "ddpm-facts", "aria-live": "polite", "data-name": "flow" },
    say("There is no film yet."),
  );
  const where = h("p", { class: "ddpm-help", "data-name": "flow-frame" }); // changes with every frame
  const velocity = h("canvas", {
    width: 28,
    height: 28,
    role: "img",
    class: "ddpm-pixels ddpm-film",
    "data-name": "velocity",
    "aria-label": say("the velocity: no film yet"),
  });
  const curve = makeCurve({ xTitle: say("frame") });
  const stage = h(
    "div",
    { class: "ddpm-columns", hidden: true },
    h("figure", {}, velocity, h("figcaption", {}, ...formula(say("v = ε̂ − x̂₀, the velocity (−3 to 3)")))),
    h(
      "figure",
      {},
      curve.element,
      h("figcaption", {}, say("By how many degrees v misses the digit that comes out: the median of the digits")),
    ),
  );
  /** @type {(import("../flow.js").FilmFlow & {whole: boolean}) | null} */
  let flow = null;
  let shown = /** @type {string | null} */ (null); // the film that was asked about

  async function ask() {
    const { run } = film;
    if (!element.open || !run || run === shown) return;
    if (film.done < 1) {
      words.textContent = say("Wait until the film is complete.");
      return;
    }
    shown = run;
    const answer = film.device ? film.device.flow() : await answerTo(server.flow_of_film({ run }));
    if (run !== film.run) return;
    if (answer.error) {
      shown = null;
      words.textContent = answer.error;
      return;
    }
    flow = answer;
    tell(answer);
  }
  function tell(/** @type {NonNullable<typeof flow>} */ { turn, detour, flow_detour, off_euler, whole }) {
    const longer = (/** @type {number[]} */ all) => 100 * (median(all) - 1);
    const off = off_euler * GREY,
      told = { detour: longer(detour), flow: longer(flow_detour), n: film.n };
    const euler =
      off_euler >= EULER
        ? say(
            "The steps of this film are not Euler's: pixels differ by up to {off:.0f} of 255 grey levels, because the sampler adds " +
              "noise on the way, clamps the picture, or uses more than one guess. DDIM with η = 0 takes Euler's steps.",
            { off },
          )
        : off < 1e-3
          ? say(
              "Each step of this film is one step of Euler's method along the velocity, to within a thousandth of a grey level.",
            )
          : say(
              "Each step of this film is one step of Euler's method along the velocity, to within {off:.3f} of a grey level.",
              { off },
            );
    const straight = whole
      ? say(
          "From noise to digit the path is {detour:.1f} % longer than the straight line between its ends; in flow matching's " +
            "scale, {flow:.1f} % (median of {n}).",
          told,
        )
      : say(
          "From noise to digit the path is {detour:.1f} % longer than the straight line between its ends; in flow matching's " +
            "scale, {flow:.1f} % (median of {n}, by the frames that are kept).",
          told,
        );
    words.textContent = `${straight} ${euler}`;
    stage.hidden = false;
    curve.draw({
      label: say(
        "degrees between the velocity and the way to the finished digit, from {first:.0f} in the first frame to {last:.0f} in the last",
        { first: turn[0], last: turn[turn.length - 1] },
      ),
      x: [0, turn.length],
      y: [0, 1.1 * Math.max(10, ...turn)],
      series: [{ name: say("degrees past the digit"), colour: BLUE, y: turn }],
    });
    follow();
    Object.assign(element.dataset, { euler: off_euler, detour: median(detour), straight: median(flow_detour) });
  }
  function follow() {
    if (!flow || !element.open || film.begin) return;
    const { x0_hat, eps_hat } = film.frames[film.index] ?? {},
      step = film.steps[film.index];
    if (!x0_hat?.length || !eps_hat?.length) return;
    const finished = step.t < 0,
      s = flow.times[film.index];
    const bytes = x0_hat.map((clean, i) => {
      const v = (2 * REACH * eps_hat[i] - 2 * clean) / 255 - REACH + 1; // both as they are shown, in grey levels
      return Math.min(255, Math.max(0, Math.round(((v + REACH) / (2 * REACH)) * 255)));
    });
    paintGrid(velocity, bytes, film.n, film.size);
    if (finished) contextOf(velocity).clearRect(0, 0, velocity.width, velocity.height); // there is nowhere left to go
    where.textContent = finished
      ? say("s = 0: the path has arrived.")
      : say(
          "t = {t}, s = {s:.3f}: followed in a straight line to s = 0, this velocity leads to x̂₀, and misses the finished digit by {degrees:.1f}°.",
          { t: step.t, s, degrees: flow.turn[film.index] },
        );
    velocity.setAttribute("aria-label", finished ? where.textContent : say("the velocity at s = {s:.3f}", { s }));
    curve.setCursor(film.index);
  }
  onFilm((changes) => {
    if (film.run !== shown) {
      shown = flow = null;
      stage.hidden = true;
      where.textContent = "";
      if (film.run && element.open) words.textContent = say("Wait until the film is complete.");
    }
    if (changes.arrived) ask();
    follow();
  });
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ddpm-details", "data-name": "flow", ontoggle: () => (ask(), follow()) },
      h("summary", {}, say("Is the path straight? The film as flow matching sees it")),
      h(
        "p",
        {},
        say(
          "In flow matching the network says a velocity: which way to go, and how fast. Ours says it too, in other words: the " +
            "noise that it sees less the clean picture that it sees. Follow that velocity in a straight line, and you arrive at " +
            "x̂₀. So the path is straight as long as the network does not change its mind about x̂₀; where it does, the path bends.",
        ),
      ),
      words,
      where,
      stage,
      h(
        "details",
        { class: "ddpm-details" },
        h("summary", {}, say("The formulas")),
        h(
          "p",
          { class: "ddpm-equation" },
          ...formula("x = xₜ / (√ᾱₜ + √(1 − ᾱₜ)),  v = ε̂ − x̂₀,  x(s′) = x(s) + (s′ − s) v"),
        ),
        h(
          "p",
          { class: "ddpm-small" },
          say(
            "The last is Euler's step, and DDIM's: (1 − s′) x̂₀ + s′ ε̂ (Song et al. 2021, equation 12). The clock s and the scale are " +
              "on the Schedule tab. Lipman et al. 2023; Liu et al. 2023; Gao et al. 2024, “Diffusion meets flow matching”.",
          ),
        ),
      ),
    )
  );
  return element;
}
