// Up to four films from the same x_T under one slider, with the cost of each.
import { placeIn } from "../component.js";
import { greyOf } from "../bytes.js";
import { h, sentence } from "../dom.js";
import { inOrder } from "../in_order.js";
import { paintGrid } from "../paint.js";
import { makeSlider } from "../slider.js";
import { say } from "../words.js";
import { makeRace } from "./device_race.js";
import { openRunSomewhere } from "./device_run.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch) {
  /**
   * @typedef {{name: string, calls: number, contrast: number | null, grey: HTMLElement, canvas: HTMLCanvasElement, cost: HTMLElement, frames: Uint8Array[],
   *            t: number[], element: HTMLElement}} Lane
   */
  /** @type {{n: number, size: number, columns?: number, lanes: Lane[]}} */
  let race = { n: 0, size: 28, lanes: [] };
  /** @type {ReturnType<typeof openRunSomewhere> | null} */
  let events = null;
  /** @type {number[]} */
  let times = [];
  let live = true;
  const bar = h("progress", { max: 1, value: 0, "aria-label": say("progress of the race") });
  const lanes = h("div", { class: "ddpm-lanes" });
  const apartCanvas = h("canvas", { class: "ddpm-pixels ddpm-film", role: "img", "data-name": "difference" });
  const apartCaption = h("figcaption", {});
  const difference = h("figure", { class: "ddpm-lane", hidden: true }, apartCanvas, apartCaption);
  const slider = makeSlider({
    label: say("timestep"),
    max: 0,
    value: 0,
    help: say("All lanes at the same t: a lane with few steps keeps its picture until its next step."),
    describe: () => (times.length ? where() : say("no race yet")),
    onInput: () => {
      live = false;
      paint();
    },
  });
  const note = h("p", { class: "ddpm-note", role: "status" });
  const mounted = h("div", { hidden: true }, bar, lanes, slider.element);
  placeIn(element).replaceChildren(note, mounted);

  const where = () => (times[slider.value()] < 0 ? say("finished") : `t = ${times[slider.value()]}`);

  /** @param {Record<string, any>} got */
  function begin(got) {
    race = {
      n: got.n,
      size: got.size,
      // digits that change step by step are read in a row, or in two on a phone
      columns: got.in_a_row ? Math.ceil(got.n / (matchMedia("(max-width: 600px)").matches ? 2 : 1)) : undefined,
      lanes: got.lanes.map((/** @type {{name: string, calls: number, contrast: number | null}} */ lane) => {
        const canvas = h("canvas", {
          class: "ddpm-pixels ddpm-film",
          role: "img",
          "aria-label": say("{name}: waiting", { name: lane.name }),
        });
        const cost = h("span", {}, say("waiting"));
        const grey = h("span", {});
        const contrast =
          lane.contrast === null
            ? ""
            : say("contrast ×{contrast:.2f} given exact answers", { contrast: lane.contrast });
        return {
          ...lane,
          canvas,
          cost,
          grey,
          frames: [],
          t: [],
          element: h(
            "figure",
            { class: got.in_a_row ? "ddpm-lane ddpm-row-lane" : "ddpm-lane" },
            canvas,
            h("figcaption", {}, h("b", {}, lane.name), h("br"), cost, h("br"), contrast, h("br"), grey),
          ),
        };
      }),
    };
    live = true;
    slider.pause();
    difference.hidden = true;
    lanes.replaceChildren(...race.lanes.map((lane) => lane.element), difference);
    mounted.hidden = false;
    const blank = new Uint8Array(race.n * race.size * race.size); // a lane that waits keeps its place
    for (const lane of race.lanes) paintGrid(lane.canvas, blank, race.n, race.size, 2, race.columns);
  }
  /**
   * The last picture of a lane that was there at timestep t.
   * @param {Lane} lane
   * @param {number} t
   */
  function frameAt(lane, t) {
    let found = 0;
    lane.t.forEach((its, k) => {
      if (its >= t) found = k;
    });
    return lane.frames[found] ? found : lane.frames.findIndex(Boolean); // what could not be read leaves a gap
  }
  function paint() {
    const t = times[slider.value()];
    const pictures = race.lanes.map((lane) => {
      if (!lane.frames.length) return null;
      const k = frameAt(lane, t);
      paintGrid(lane.canvas, lane.frames[k], race.n, race.size, 2, race.columns);
      const at = { name: lane.name, t: lane.t[k] };
      lane.canvas.setAttribute("aria-label", at.t < 0 ? say("{name}, finished", at) : say("{name}, t = {t}", at));
      lane.canvas.dataset.t = String(lane.t[k]);
      return lane.frames[k];
    });
    paintDifference(pictures);
  }
  /**
   * |first − second|, stretched to the whole range of grey: two settings that differ little are the interesting ones.
   * @param {(Uint8Array | null)[]} pictures
   */
  function paintDifference(pictures) {
    const [a, b] = pictures;
    difference.hidden = pictures.length !== 2 || !a || !b;
    if (difference.hidden || !a || !b) return;
    let most = 0;
    const apart = a.map((value, i) => {
      const d = Math.abs(value - b[i]);
      if (d > most) most = d;
      return d;
    });
    paintGrid(
      apartCanvas,
      apart.map((d) => (most ? (255 * d) / most : 0)),
      race.n,
      race.size,
    );
    apartCanvas.setAttribute("aria-label", say("difference of the two, at most {most} of 255 grey levels", { most }));
    apartCanvas.dataset.most = String(most);
    apartCaption.replaceChildren(
      h("b", {}, say("their difference")),
      h("br"),
      most
        ? say("at most {most} of 255 grey levels, shown {times:.0f} times as strong", { most, times: 255 / most })
        : say("none: equal in every pixel"),
    );
  }
  /**
   * @param {Record<string, any>} got
   * @param {boolean} first of its run
   */
  async function take(got, first) {
    if (first) begin(got);
    const levels = await greyOf(got.x_t);
    const lane = race.lanes[got.lane];
    const length = got.n * got.size * got.size;
    got.t.forEach((/** @type {number} */ t, /** @type {number} */ k) => {
      lane.frames[got.first + k] = levels.subarray(k * length, (k + 1) * length);
      lane.t[got.first + k] = t;
    });
    const cost = { calls: got.calls, all: lane.calls, seconds: got.seconds };
    lane.cost.textContent =
      got.calls === lane.calls
        ? say("{calls} network call, {seconds:.2f} s|{calls} network calls, {seconds:.2f} s", cost)
        : say("{calls} of {all} network calls, {seconds:.2f} s", cost);
    if ("lane_grey" in got) {
      lane.grey.textContent = say("mean grey {grey:.0f}; training digits {taught:.0f}", {
        grey: got.lane_grey,
        taught: got.grey,
      });
    }
    const now = times[slider.value()];
    times = [...new Set(race.lanes.flatMap((each) => each.t))].sort((x, y) => y - x);
    slider.setMax(times.length - 1);
    // the slider stays at its t while other lanes bring more of them
    slider.set(live ? times.length - 1 : Math.max(0, times.indexOf(now)));
    bar.value = got.done;
    mounted.dataset.done = got.done;
    paint();
  }
  const tell = (/** @type {string} */ text) => {
    note.textContent = text;
  };
  const next = inOrder(() => tell(say("A part of this race could not be read: its pictures are missing.")));
  function receive() {
    events?.close();
    events = null;
    if (!props.value?.run) return; // it was stopped
    tell("");
    const { run, origin } = props.value;
    let first = true;
    const mine = (events = openRunSomewhere(run, makeRace, {
      take: (got) => {
        const begins = first;
        first = false;
        next(() => (events === mine ? take(got, begins) : undefined));
      },
      say: tell,
      source: (text) => tell(text || origin),
      ended: (error) => {
        if (error) next(() => tell(sentence(error)));
      },
    }));
  }
  watch("value", receive);
  receive();
}
