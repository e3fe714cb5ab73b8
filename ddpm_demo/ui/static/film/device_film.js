// A film that this device makes: by the server's plan, in the page's own workers.
import { loadOnDevice, walkOnDevice } from "../device.js";
import { duration } from "../dom.js";
import { filmFlow } from "../flow.js";
import { PIXELS } from "../net/network.js";
import { greyLevels } from "../net/walk.js";
import { say } from "../words.js";
import { receiveFrames } from "./film_state.js";
import { MAKING, madeIn } from "./planned_here.js";
import { filmGif, gifFrames, gifHundredths, gridPng, npz } from "./files.js";

const SIZE = 28;
const EPS_REACH = 3; // the noise is shown from -3 to 3
const FRAME_MILLISECONDS = 40; // from one look at new frames to the next

/**
 * What the server says of a film, for whoever makes it: see ui/film/device.py.
 * @typedef {{picture: "x_t" | "x0_hat" | "x0_before" | "eps_hat" | "z", name: string, coefficient: number}} Term
 * @typedef {import("../net/walk.js").PlannedStep & {terms: Term[]}} WrittenStep
 * @typedef {object} FilmPlan
 * @property {string} run
 * @property {import("../net/walk.js").Plan & {steps: WrittenStep[]}} plan
 * @property {number[]} frames
 * @property {string} rule
 * @property {string} clean
 * @property {string} network
 * @property {string} guide
 * @property {string} only_server
 * @property {{here: boolean, seconds: number | null}} server
 * @property {string} link
 * @property {string} python
 * @property {string} settings as JSON
 */

/** A film of this device, as far as it got: its floats are here, for the inspector, the path and the files. */
export class DeviceFilm {
  /** @param {FilmPlan} film */
  constructor(film) {
    this.film = film;
    /** @type {import("../net/walk.js").Step[]} */
    this.kept = []; // in the order of the frames
    /** @type {Float32Array | null} */
    this.finished = null;
    this.seconds = 0;
  }

  /**
   * Make it; frames go to the page as they come. The promise is kept when it is whole or has been stopped.
   * @param {AbortSignal} signal
   */
  async make(signal) {
    const { plan, frames, network, guide } = this.film;
    await Promise.all([network, guide].filter(Boolean).map(loadOnDevice)); // which is no part of its time
    const shown = new Set(frames);
    const begun = performance.now();
    let sent = 0,
      sentAt = -Infinity;
    await walkOnDevice(
      this.film,
      (step) => {
        const last = step.index === plan.steps.length - 1,
          now = performance.now();
        this.seconds = (now - begun) / 1000;
        if (shown.has(step.index)) this.kept.push(step);
        if (last) this.finished = step.x_s;
        if (!last && now - sentAt < FRAME_MILLISECONDS) return;
        this._send(sent, step.index, () => !signal.aborted);
        sent = this.kept.length;
        sentAt = now;
      },
      signal,
    );
  }

  /**
   * Give the page the frames from `first` on.
   * @param {number} first
   * @param {number} index of the step that was made last
   * @param {() => boolean} wanted
   */
  _send(first, index, wanted) {
    const { plan, frames, run } = this.film,
      { steps, n, seed } = plan;
    const news = this.kept.slice(first).map(({ index: at, x_t, guesses: [{ answer, x0_hat }] }) => ({
      step: { t: steps[at].t, alpha_bar: steps[at].calls[0].alpha_bar, sigma: steps[at].std },
      pictures: {
        x_t: greyLevels(x_t),
        x0_hat: greyLevels(x0_hat),
        eps_hat: greyLevels(answer.eps_hat, EPS_REACH),
      },
    }));
    if (this.finished) {
      const grey = greyLevels(this.finished),
        nothing = greyLevels(new Float32Array(grey.length), EPS_REACH);
      news.push({ step: { t: -1, alpha_bar: 1, sigma: 0 }, pictures: { x_t: grey, x0_hat: grey, eps_hat: nothing } });
    }
    const made = index + 1,
      told = { steps: steps.length, made, pace: (1000 * this.seconds) / made };
    const note = this.finished
      ? say(
          "{steps} step, {pace:.0f} ms a step, {rate:.2f} images/s|{steps} steps, {pace:.0f} ms a step, {rate:.2f} images/s",
          { ...told, rate: n / this.seconds },
        )
      : say("step {made} of {steps}, {pace:.0f} ms a step, about {duration} left", {
          ...told,
          duration: duration((this.seconds / made) * (steps.length - made)),
        });
    const source = this.finished ? madeIn(this.seconds) : MAKING;
    const same = { run: `device ${run}`, seed, n, size: SIZE, total: frames.length + 1, device: this };
    receiveFrames({ ...same, first, news, done: made / steps.length, note, source }, wanted);
  }

  /**
   * One step of one digit as terms to add up, as the server's `inspect_step` answers, the pictures not packed.
   * @param {number} frame
   * @param {number} digit
   */
  inspect(frame, digit) {
    const step = this.kept[frame],
      { plan, rule, clean } = this.film;
    if (!step) return { error: say("this frame has no step") };
    const planned = plan.steps[step.index],
      [first] = step.guesses,
      last = step.guesses[step.guesses.length - 1];
    const before = step.guesses.length > 1 ? step.guesses[step.guesses.length - 2].x0_hat : step.x0_before;
    /** @param {Float32Array | null | undefined} pictures */
    const of = (pictures) =>
      pictures ? pictures.slice(digit * PIXELS, (digit + 1) * PIXELS) : new Float32Array(PIXELS);
    const pictures = { x_t: step.x_t, x0_hat: last.x0_hat, x0_before: before, eps_hat: last.eps, z: step.z };
    const { guidance } = plan,
      { model, guide } = first.answer;
    return {
      t: planned.t,
      s: planned.s,
      rule,
      clean,
      clamped: plan.clip === "x_t",
      guidance:
        guidance && (guide ? { ...guidance, model: of(model), guide: of(guide) } : { ...guidance, guide: null }),
      asked: null,
      terms: planned.terms.map(({ picture, ...term }) => ({ ...term, values: of(pictures[picture]) })),
      eps_hat: of(first.answer.eps_hat),
      x_t: of(step.x_t),
      x_s: of(step.x_s),
    };
  }

  /**
   * Where the digits were at each frame on a plane, as the server's `path_trails` answers.
   * @param {{mean: Float32Array, components: Float32Array}} plane
   */
  trails({ mean, components }) {
    const { n } = this.film.plan,
      last = this.finished ?? this.kept[this.kept.length - 1].x_s;
    /** @param {Float32Array[]} frames */
    const projected = (frames) => {
      const where = new Float32Array(2 * n * frames.length);
      frames.forEach((pictures, frame) => {
        for (let digit = 0; digit < n; digit++)
          for (let axis = 0; axis < 2; axis++) {
            let sum = 0;
            for (let i = 0; i < PIXELS; i++)
              sum += (pictures[digit * PIXELS + i] - mean[i]) * components[axis * PIXELS + i];
            where[2 * (frame * n + digit) + axis] = sum;
          }
      });
      return where;
    };
    return {
      frames: this.kept.length + 1,
      n,
      x_t: projected([...this.kept.map((step) => step.x_t), last]),
      x0_hat: projected([...this.kept.map((step) => step.guesses[0].x0_hat), last]),
    };
  }

  /** Its path in flow matching's clothes, as the server's `flow_of_film` answers. */
  flow() {
    const { steps, n } = this.film.plan,
      alphaBar = (/** @type {number} */ index) => steps[index]?.calls[0].alpha_bar ?? 1;
    const kept = this.kept.map(({ index, x_t, x_s, guesses: [{ x0_hat }] }) => ({
      alpha_bar_t: alphaBar(index),
      alpha_bar_s: alphaBar(index + 1),
      x_t,
      x0_hat,
      x_s,
    }));
    return { ...filmFlow(kept, n), whole: kept.length === steps.length };
  }

  /**
   * What a student takes home of it, as the server's `take_home` answers, the file not packed.
   * @param {string} kind
   * @param {import("./film_state.js").Film} shown
   */
  async takeHome(kind, { frames }) {
    const { plan, link, python } = this.film,
      { n, seed } = plan,
      name = `ddpm-seed-${seed}`,
      grey = frames.map((frame) => frame.x_t);
    if (kind === "link") return { text: link };
    if (kind === "python") return { text: python };
    if (kind === "gif") {
      const some = gifFrames(grey),
        steps = plan.steps.length, // the pictures are one more: the noise, and what each step makes of it
        told = { frames: some.length, steps, ms: 10 * gifHundredths(some.length) },
        note =
          some.length === steps + 1
            ? say("{frames} frames, one a step, {ms} ms each", told)
            : say("{frames} frames, of a film of {steps} steps, {ms} ms each", told);
      return { file: filmGif(some, n, SIZE), name: `${name}-${some.length}-frames.gif`, type: "image/gif", note };
    }
    if (kind === "png")
      return { file: await gridPng(grey[grey.length - 1], n, SIZE), name: `${name}.png`, type: "image/png" };
    const shape = [this.kept.length, n, SIZE, SIZE];
    /** @param {(step: import("../net/walk.js").Step) => Float32Array} of */
    const pictures = (of) => {
      const values = new Float32Array(this.kept.length * n * PIXELS);
      this.kept.forEach((step, frame) => values.set(of(step), frame * n * PIXELS));
      return { values, shape };
    };
    const file = npz({
      images: { values: grey[grey.length - 1], shape: [n, SIZE, SIZE] },
      x_t: pictures((step) => step.x_t),
      x0_hat: pictures((step) => step.guesses[0].x0_hat),
      eps_hat: pictures((step) => step.guesses[0].answer.eps_hat),
      t: { values: Int32Array.from(this.kept, ({ index }) => plan.steps[index].t), shape: [this.kept.length] },
      settings: { values: this.film.settings, shape: [] },
    });
    return { file, name: `${name}.npz`, type: "application/octet-stream" };
  }
}
