// The Generate tab's film: frames arrive while the network works, and afterwards belong to the page alone.
import { decodeBytes } from "./bytes.js";
import { checkbox, h } from "./dom.js";
import { paintGrid } from "./paint.js";
import { makeSlider } from "./slider.js";

export function mount(element, props, watch) {
  const canvas = h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels ddpm-film", "aria-label": "no film yet" });
  const status = h("p", { class: "ddpm-facts", "aria-live": "polite" }, "Press Generate: the film appears here.");
  const bar = h("progress", { max: 1, value: 0, "aria-label": "progress of the sampler" });
  const loop = checkbox("play in a loop", () => {});
  let film = { run: null, n: 0, size: 28, frames: [], t: [] };
  let live = true; // follow the newest frame until the student takes hold of the slider

  const slider = makeSlider({
    label: "frame",
    help: "Play, step or drag through the film; the server has no part in it.",
    max: 0, value: 0,
    loop: () => loop.input.checked,
    describe: (index) => (film.frames.length ? `${index} of ${film.frames.length - 1}` : "none yet"),
    onInput: (index) => { live = false; paint(index); },
  });
  element.querySelector(".ddpm-mount").replaceChildren(
    bar, status, h("div", { class: "ddpm-stage" }, canvas), slider.element, loop.element);

  function paint(index) {
    const frame = film.frames[index];
    if (!frame) return;
    paintGrid(canvas, frame, film.n, film.size);
    canvas.dataset.frame = index;
    const where = film.t[index] < 0 ? "the finished digits" : `x_t at t = ${film.t[index]}`;
    canvas.setAttribute("aria-label", `${film.n} ${film.n === 1 ? "digit" : "digits"}, frame ${index}: ${where}`);
    status.dataset.where = where;
    status.textContent = [where, film.note].filter(Boolean).join(" · ");
  }
  function receive() {
    const got = props.value;
    if (!got) return;
    if (got.run !== film.run) {
      film = { run: got.run, n: got.n, size: got.size, frames: [], t: [] };
      live = true;
      slider.pause();
    }
    const bytes = decodeBytes(got.frames);
    const length = got.n * got.size * got.size;
    for (let k = 0; k < got.t.length; k++) {
      film.frames[got.first + k] = bytes.subarray(k * length, (k + 1) * length);
      film.t[got.first + k] = got.t[k];
    }
    film.note = got.note;
    bar.value = got.done;
    const last = film.frames.length - 1;
    slider.setMax(last);
    slider.set(live ? last : slider.value());
    paint(slider.value());
    canvas.dataset.received = film.frames.filter(Boolean).length;
  }
  watch("value", receive);
  receive();
}
