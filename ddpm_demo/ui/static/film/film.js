// The Generate tab's film: frames arrive while the network works, and afterwards belong to the page alone.
import { placeIn } from "../component.js";
import { checkbox, h, number, reducedMotion } from "../dom.js";
import { film, onFilm, PICTURES, receiveBegin, setFilm } from "./film_state.js";
import { makeFlow } from "./flow_look.js";
import { makeHerald } from "./herald.js";
import { makeInspector } from "./inspector.js";
import { formula } from "../maths.js";
import { makeNearest } from "./nearest.js";
import { makeOdds } from "./odds.js";
import { gridOf, markInGrid, paintGrid } from "../paint.js";
import { makeSlider } from "../slider.js";
import { closeFilm, openFilm } from "./film_maker.js";
import { makeTakeHome } from "./take_home.js";
import { say } from "../words.js";

const CAPTIONS = {
  x_t: say("xₜ, the picture"),
  x0_hat: say("x̂₀, the clean image it implies"),
  eps_hat: say("ε̂, the noise the network sees (−3 to 3)"),
  pull: say("the pull towards the digit, taken from ε̂ (−1 to 1)"),
};

const COMES = say("comes with the film");

/** @type {(keyof typeof CAPTIONS)[]} */
const NAMES = [...PICTURES, "pull"];

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server, trigger) {
  const grids = {
    x_t: makeGrid("x_t"),
    x0_hat: makeGrid("x0_hat"),
    eps_hat: makeGrid("eps_hat"),
    pull: makeGrid("pull"),
  };
  const odds = makeOdds();
  const canvas = grids.x_t.canvas;
  const status = h("p", { class: "ddpm-facts" }, "");
  const herald = makeHerald();
  const bar = h("progress", { max: 1, value: 0, "aria-label": say("progress of the sampler") });
  const loop = checkbox(say("play in a loop"), () => {});
  let live = true; // follow the newest frame until the student takes hold of the slider
  let toPlay = false; // a film from memory is all there at once: it begins at its noise, and plays when it is whole

  const slider = makeSlider({
    label: say("frame"),
    help: say("Play, step or drag through the film: the page has all of it. Click a digit to take it apart below."),
    max: 0,
    value: 0,
    loop: () => loop.input.checked,
    describe: (index) =>
      film.frames.length ? say("{index} of {last}", { index, last: film.frames.length - 1 }) : say("none yet"),
    onInput: (index) => {
      live = toPlay = false;
      setFilm({ index, begin: null });
    },
  });
  const inspector = makeInspector(server);
  const { x_t, x0_hat, eps_hat, pull } = grids;
  pull.element.hidden = true; // until a film asks for a digit
  placeIn(element).replaceChildren(
    h(
      "div",
      { class: "ddpm-stage ddpm-film-row" },
      h("div", { class: "ddpm-lead-picture" }, x_t.element),
      h(
        "div",
        {},
        bar,
        status,
        herald.element,
        slider.element,
        odds.element,
        h("div", { class: "ddpm-pair" }, x0_hat.element, eps_hat.element, pull.element),
        loop.element,
      ),
    ),
    inspector,
    ...(server.nearest_digits ? [makeNearest(server)] : []), // the lab has no server
    makeFlow(server),
    makeTakeHome(server),
  );

  /** @param {keyof typeof CAPTIONS} name */
  function makeGrid(name) {
    const picture = h("canvas", {
      width: 28,
      height: 28,
      role: "img",
      class: "ddpm-pixels ddpm-film",
      tabindex: 0,
      "data-name": name,
      "aria-label": say("{picture}: no film yet", { picture: CAPTIONS[name] }),
    });
    const marker = h("span", { class: "ddpm-chosen", hidden: true });
    const frame = h("div", { class: "ddpm-frame", "data-instead": COMES }, picture, marker);
    picture.addEventListener("click", (event) => {
      const { columns, rows } = gridOf(film.n, film.size);
      const box = picture.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
      const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
      choose(row * columns + column);
    });
    picture.addEventListener("keydown", (event) => {
      const { columns } = gridOf(film.n, film.size);
      /** @type {Record<string, number>} */
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Enter: 0 };
      const by = steps[event.key];
      if (by === undefined) return;
      event.preventDefault();
      choose(film.digit === null ? 0 : film.digit + by);
    });
    return {
      canvas: picture,
      marker,
      frame,
      element: h("figure", {}, frame, h("figcaption", {}, ...formula(CAPTIONS[name]))),
    };
  }
  /** @param {number} digit */
  function choose(digit) {
    if (!film.begin && digit >= 0 && digit < film.n) setFilm({ digit });
  }
  /**
   * Leave a picture out, in the size of the others.
   * @param {keyof typeof CAPTIONS} name
   * @param {string} label for who does not see it
   * @param {string} instead of it; "" for nothing
   */
  function leaveOut(name, label, instead = "") {
    const { canvas: picture, marker, frame } = grids[name];
    Object.assign(picture, { width: canvas.width, height: canvas.height }); // which clears it
    picture.setAttribute("aria-label", label);
    marker.hidden = marker.hidden || Boolean(instead);
    if (instead) frame.dataset.instead = instead;
    else delete frame.dataset.instead;
  }
  /**
   * The noise that Generate will begin with.
   * @param {import("./film_state.js").Begin} begin
   */
  function paintBegin(begin) {
    const { n, size, seed, t, bytes } = begin;
    paintGrid(canvas, bytes, n, size);
    grids.x_t.frame.removeAttribute("data-instead");
    grids.x_t.marker.hidden = true;
    for (const name of NAMES)
      if (name !== "x_t") leaveOut(name, say("{picture}: no film yet", { picture: CAPTIONS[name] }), COMES);
    const pictures = say("{n} picture|{n} pictures", { n });
    canvas.setAttribute(
      "aria-label",
      say("{picture}: the noise of seed {seed}, {pictures}, t = {t}", { picture: CAPTIONS.x_t, seed, pictures, t }),
    );
    status.textContent = say("Noise of seed {seed} at t = {t}: Generate starts from exactly these pictures.", {
      seed,
      t,
    });
  }
  function paint() {
    if (film.begin) {
      paintBegin(film.begin);
      return;
    }
    const frame = film.frames[film.index],
      step = film.steps[film.index];
    if (!frame) return;
    const where = step.t < 0 ? say("the finished digits") : say("xₜ at t = {t}", { t: step.t });
    const digits = say("{n} digit|{n} digits", { n: film.n });
    const asked = film.frames.some((each) => each?.pull);
    pull.element.hidden = !asked;
    odds.show(asked ? film : null);
    for (const name of asked ? NAMES : PICTURES) {
      const { marker, frame: place } = grids[name],
        picture = CAPTIONS[name];
      if (film.digit !== null) markInGrid(marker, film.digit, film.n, film.size);
      else marker.hidden = true;
      // x_T is on the screen before the network has said anything about it
      const bytes = frame[name];
      if (name === "eps_hat" && step.t < 0) {
        leaveOut(name, say("{picture}: nothing is left to guess", { picture }), say("nothing is left to guess"));
        continue;
      }
      if (!bytes?.length) {
        leaveOut(name, say("{picture}: nothing at this frame", { picture }));
        continue;
      }
      place.removeAttribute("data-instead");
      paintGrid(grids[name].canvas, bytes, film.n, film.size);
      const told = { picture, digits, frame: film.index, where, digit: (film.digit ?? 0) + 1 };
      grids[name].canvas.setAttribute(
        "aria-label",
        film.digit === null
          ? say("{picture}: {digits}, frame {frame}, {where}", told)
          : say("{picture}: {digits}, frame {frame}, {where}, digit {digit} chosen", told),
      );
    }
    canvas.dataset.frame = String(film.index);
    status.dataset.where = where;
    const numbers = step.t < 0 ? "" : `ᾱ = ${number(step.alpha_bar, 4)}, σ = ${number(step.sigma, 4)}`;
    status.textContent = [where, numbers, film.note, film.source, film.fault].filter(Boolean).join(" · ");
  }
  onFilm((changes) => {
    if (changes.arrived) {
      if (changes.fresh) {
        toPlay = film.remembered && !reducedMotion();
        live = !toPlay;
        slider.pause();
      }
      bar.value = film.done;
      const newest = film.frames.length - 1;
      slider.setMax(newest);
      if (live) film.index = newest;
      slider.set(film.index);
      canvas.dataset.received = String(film.frames.filter(Boolean).length);
      canvas.dataset.done = String(film.done);
    }
    paint();
    herald.tell(changes);
  });
  let pressed = null;
  // the buttons are Gradio's: what they say arrives as this component's value
  const press = () => {
    if (props.value?.begin) {
      receiveBegin(props.value.begin);
      return;
    }
    if (!props.value || props.value.press === pressed) return;
    pressed = props.value.press;
    if (!props.value.settings) return closeFilm();
    openFilm(props.value.settings, {
      say: (text) => {
        status.textContent = text;
        herald.say(text);
      },
      ended: () => {
        trigger("submit");
        if (toPlay) slider.play();
      },
    });
  };
  watch("value", press);
  press();
}
