// Three screens, one action each: drown a digit, let the network guess, undo the noise step by step.
import { button, h, reducedMotion } from "../dom.js";
import { randn, TorchGenerator } from "../net/randn.js";
import { cleanImage, greyLevels } from "../net/walk.js";
import { openTab } from "../open_tab.js";
import { paintFloats, paintGrid } from "../paint.js";
import { loadOnDevice, walkOnDevice } from "../device.js";
import { makeSlider } from "../slider.js";
import { alphaBarAt, known, mixture, state } from "../state.js";
import { say } from "../words.js";
import { planHere } from "./device_digits.js";

const SIZE = 28;
const DROWNED = 0.98; // share of the variance that is noise
const HALF_DROWNED = 0.65; // the same on the second screen
const FRAME = 90; // milliseconds of a step on the third

/**
 * Open them over the page.
 * @param {HTMLElement} place
 * @param {any} settings of the third screen's film
 * @param {() => void} closed
 */
export function openScreens(place, settings, closed) {
  const stop = new AbortController();
  const planned = planHere(settings); // on its way while the first screen is read
  planned.catch(() => {});
  const title = h("h2", { id: "ddpm-intro-title", tabindex: -1 });
  const body = h("div", { class: "ddpm-intro-body" });
  const words = h("p", { class: "ddpm-intro-words", role: "status" });
  const next = button("", () => {}, { class: "ddpm-button ddpm-primary", "data-name": "next" });
  const back = button(say("Back"), () => show(at - 1), { "data-name": "back" });
  const dialog = h(
    "dialog",
    { class: "ddpm-intro-dialog", "aria-labelledby": title.id },
    h(
      "div",
      { class: "ddpm-intro-head" },
      title,
      button("✕", () => dialog.close(), { "aria-label": say("close the introduction") }),
    ),
    body,
    words,
    h("div", { class: "ddpm-intro-foot" }, back, next),
  );
  dialog.addEventListener("close", () => {
    stop.abort();
    holder.remove();
    closed();
  });
  const screens = [
    { title: say("1 of 3: drown it"), make: drown },
    { title: say("2 of 3: let it guess"), make: guess },
    { title: say("3 of 3: undo it"), make: undo },
  ];
  const page = {
    body,
    planned,
    signal: stop.signal,
    tell: (/** @type {string} */ text) => {
      words.textContent = text;
    },
    /** Let the student go on; the last screen leads to the page. */
    done: () => {
      next.disabled = false;
    },
  };
  let at = 0;
  /** @param {number} number */
  function show(number) {
    at = number;
    title.textContent = screens[at].title;
    body.replaceChildren();
    back.hidden = at === 0;
    next.textContent = at === screens.length - 1 ? say("Explore the page") : say("Next");
    next.disabled = true;
    next.onclick = () => {
      if (at < screens.length - 1) show(at + 1);
      else {
        dialog.close();
        openTab("generate");
      }
    };
    screens[at].make(page);
    title.focus();
  }
  const holder = h("div", {}, h("i", { hidden: true }), dialog, h("i", { hidden: true })); // Gradio takes the margins of a first and a last one
  place.append(holder);
  dialog.showModal();
  show(0);
}

/**
 * @typedef {{body: HTMLElement, planned: ReturnType<typeof planHere>, signal: AbortSignal,
 *            tell: (text: string) => void, done: () => void}} Page
 */

/**
 * @param {string} name
 * @param {string} caption
 */
function picture(name, caption) {
  const words = h("figcaption", {}, caption);
  const canvas = h("canvas", {
    width: SIZE,
    height: SIZE,
    class: "ddpm-pixels",
    role: "img",
    "data-name": name,
    "aria-label": caption,
  });
  return { canvas, words, element: h("figure", {}, canvas, words) };
}

/** @param {Page} page */
function drown({ body, tell, done }) {
  const shown = picture("drowned", say("a handwritten digit"));
  const last = state.tables[state.schedule].alphaBar.length - 1;
  const slider = makeSlider({
    label: say("noise"),
    help: "",
    max: last,
    value: 0,
    describe: (t) => say("step {step} of {total}", { step: t, total: last }),
    onInput: paint,
  });
  /** @param {number} t */
  function paint(t) {
    const noise = 1 - alphaBarAt(t);
    paintFloats(shown.canvas, mixture(alphaBarAt(t)));
    shown.canvas.dataset.t = String(t);
    shown.words.textContent =
      t === 0 ? say("a handwritten digit") : say("{percent:.0f} % noise", { percent: 100 * noise });
    if (noise < DROWNED) return;
    tell(
      say(
        "Drowned: nothing of it is left to see. Adding noise is easy, and needs no network. Now the other way round.",
      ),
    );
    done();
  }
  body.append(h("div", { class: "ddpm-intro-pictures" }, shown.element), slider.element);
  paint(0);
  tell(say("Somebody wrote this digit. Drag the slider to its end: every step mixes in a little more random noise."));
}

/** @param {Page} page */
function guess({ body, planned, tell, done, signal }) {
  const noisy = picture("noisy", say("what the network gets")),
    noise = picture("noise", say("its guess: this part is noise")),
    left = picture("left", say("what is left without it")),
    truth = picture("truth", say("the digit you drowned"));
  const ask = button(say("Ask the network"), answer, { class: "ddpm-button ddpm-primary", "data-name": "ask" });
  /** The network's own timestep with that much noise, and the digit drowned as far. */
  async function half() {
    const { plan, network } = await planned;
    const calls = plan.steps.map((step) => step.calls[0]);
    const { t, alpha_bar } = calls.reduce((best, call) => (off(call) < off(best) ? call : best));
    return { network, t, alpha_bar, x_t: mixture(alpha_bar) };
  }
  /** @param {import("../net/walk.js").Call} call */
  const off = (call) => Math.abs(1 - call.alpha_bar - HALF_DROWNED);
  half().then(
    ({ x_t }) => paintFloats(noisy.canvas, x_t),
    () => {}, // said when the button is pressed
  );
  async function answer() {
    ask.disabled = true;
    tell(say("It looks …"));
    try {
      const { network, t, alpha_bar, x_t } = await half();
      const eps_hat = await (await loadOnDevice(network)).answer(network, x_t, t);
      if (signal.aborted) return;
      paintFloats(noise.canvas, eps_hat);
      paintFloats(left.canvas, cleanImage(alpha_bar, x_t, eps_hat, true));
      paintFloats(truth.canvas, known().digit.x0);
      tell(
        say(
          "That is all it can do: look at a noisy picture and say which part of it is noise. It learned that from thousands " +
            "of digits. Take its guess away, and a digit is left.",
        ),
      );
      done();
    } catch (error) {
      tell(cannot(error));
    }
  }
  body.append(
    h("div", { class: "ddpm-intro-pictures" }, noisy.element, noise.element, left.element, truth.element),
    h("div", { class: "ddpm-row" }, ask),
  );
  tell(say("Half drowned. The network has never seen this digit, and nobody tells it which one it is."));
}

/** @param {Page} page */
function undo({ body, planned, tell, done, signal }) {
  const now = picture("now", say("pure noise: random numbers")),
    guessed = picture("guessed", say("its guess of the digit, so far"));
  const bar = h("progress", { max: 1, value: 0, "aria-label": say("steps") });
  const draw = button(say("Take the noise away"), make, { class: "ddpm-button ddpm-primary", "data-name": "draw" });
  body.append(
    h("div", { class: "ddpm-intro-pictures" }, now.element, guessed.element),
    bar,
    h("div", { class: "ddpm-row" }, draw),
  );
  tell(say("Now there is no digit at all under the noise. One guess gives only a blur, so it goes in small steps."));
  let made = 0;

  async function make() {
    draw.disabled = true;
    tell(say("It draws …"));
    try {
      const film = await planned,
        { steps } = film.plan;
      film.plan.seed += made > 0 ? 1 : 0; // another noise each time
      /** @type {import("../net/walk.js").Step[]} */
      const kept = [];
      await walkOnDevice(film, (step) => kept.push(step), signal);
      for (const [k, { x_s, guesses }] of kept.entries()) {
        if (signal.aborted || !body.contains(bar)) return;
        paintGrid(now.canvas, greyLevels(x_s), 1, SIZE, 0);
        paintFloats(guessed.canvas, guesses[0].x0_hat);
        bar.value = (k + 1) / steps.length;
        now.words.textContent = say("step {step} of {total}", { step: k + 1, total: steps.length });
        if (!reducedMotion()) await new Promise((resolve) => setTimeout(resolve, FRAME));
      }
      made += 1;
      draw.textContent = say("Another one");
      draw.disabled = false;
      tell(
        say(
          "Nobody wrote that digit. {count} times the network guessed the noise, a little of it was taken away, " +
            "and it guessed again: that is diffusion. The page shows every part of it, live.",
          { count: steps.length },
        ),
      );
      done();
    } catch (error) {
      tell(cannot(error));
    }
  }
  planned.then(
    ({ plan }) => {
      if (!draw.disabled) paintFloats(now.canvas, randn(SIZE * SIZE, new TorchGenerator(plan.seed)));
    },
    () => {}, // said when the button is pressed
  );
}

/** @param {any} error */
const cannot = (error) =>
  say("Your device cannot run the network ({error}). On the Generate tab the server draws instead.", {
    error: error?.message ?? error,
  });
