// The Generate tab of the lab: a form of the browser's own, and the page's film.
import { button, h, select } from "../dom.js";
import { mount as mountFilm } from "../film/film.js";
import { film, setFilm } from "../film/film_state.js";
import { PIXELS } from "../net/network.js";
import { randn, TorchGenerator } from "../net/randn.js";
import { greyLevels } from "../net/walk.js";
import { LAST_SEED, someSeed } from "./digits.js";
import { facts } from "./facts.js";
import { rangeField, wholeNumber } from "./fields.js";
import { mounted, prose } from "./mounted.js";
import { buildRace } from "./race_part.js";
import { say } from "../words.js";

/** @param {HTMLElement} place */
export function buildGenerateTab(place) {
  /** @type {import("./facts.js").LabSettings} */
  const settings = { ...facts.opening };
  const { samplers, guide, clips, network, steps } = facts;

  const count = rangeField({ label: say("Digits"), min: 1, max: facts.most_digits, step: 1, value: settings.n }, (n) =>
    change({ n }),
  );
  const start = button(say("Generate"), () => press(settings), {
    id: "generate-start",
    class: "ddpm-button ddpm-primary",
  });
  const dice = button(say("Another noise"), () => {
    seed.input.value = String(someSeed());
    change({ seed: Number(seed.input.value) });
  });
  const stop = button(say("Stop"), () => press(null), { disabled: true, id: "generate-stop" });

  const sampler = select(say("sampler"), named(samplers.map(({ title }) => title)), (k) => {
    change({ sampler: Number(k), eta: samplers[Number(k)].etas[0] });
    offerEta();
  });
  const steps_ = select(say("steps"), Object.fromEntries(steps.map((each) => [each, each])), (each) =>
    change({ steps: Number(each) }),
  );
  const clip = select(
    say("clipping"),
    Object.fromEntries(Object.entries(clips).map(([name, { words }]) => [name, words])),
    (name) => change({ clip: /** @type {any} */ (name) }),
  );
  const eta = select(say("η, DDIM's noise"), {}, (each) => change({ eta: Number(each) }));
  const seed = wholeNumber(say("seed"), settings.seed, LAST_SEED, (number) => change({ seed: number }));
  const weight = rangeField(
    { label: say("guidance weight"), min: 0, max: 5, step: 0.25, value: settings.weight ?? 1 },
    (each) => change({ weight: each }),
  );
  sampler.input.value = String(settings.sampler);
  steps_.input.value = String(settings.steps);
  clip.input.value = settings.clip;
  offerEta();

  function offerEta() {
    const { etas } = samplers[settings.sampler];
    eta.fill(Object.fromEntries(etas.map((each) => [each, each])));
    eta.input.value = String(settings.eta);
    eta.element.hidden = etas.length < 2;
  }
  /** @param {Partial<import("./facts.js").LabSettings>} changes */
  function change(changes) {
    Object.assign(settings, changes);
    if ("n" in changes || "seed" in changes || "steps" in changes) showNoise();
  }
  /** The noise that Generate will begin with. */
  function showNoise() {
    const { n, seed: number, steps: many } = settings;
    const known = film.run && film.seed === number && film.n === n;
    const bytes = greyLevels(randn(n * PIXELS, new TorchGenerator(number)));
    setFilm({ begin: known ? null : { seed: number, n, size: 28, t: facts.timesteps[many][0], bytes } });
  }
  /** Begin a film, or end it. */
  function press(/** @type {import("./facts.js").LabSettings | null} */ wanted) {
    start.disabled = wanted !== null;
    stop.disabled = wanted === null;
    setValue(wanted ? { settings: { ...wanted }, press: ++presses } : { press: ++presses });
  }
  let presses = 0;

  const guided = guide
    ? [
        h(
          "p",
          { class: "ddpm-help" },
          say(
            "Guided by {guide}, a worse network: 0 is {guide} alone, 1 {network} alone; more goes on beyond it (Karras et al. 2024).",
            { guide: guide.name, network: network.checkpoint },
          ),
        ),
        weight.element,
      ]
    : [];
  const form = h(
    "div",
    { class: "ddpm-mount lab-form" },
    count.element,
    h("div", { id: "generate-buttons", class: "ddpm-row" }, start, dice, stop),
    h(
      "details",
      { class: "ddpm-details", id: "generate-settings" },
      h("summary", {}, say("Settings")),
      sampler.element,
      steps_.element,
      clip.element,
      eta.element,
      ...guided,
      seed.element,
      h("p", { class: "ddpm-help" }, facts.seed_contract),
    ),
  );
  const stage = h("div", { id: "generate-stage", class: "lab-film" }, form);
  place.append(stage, prose(facts.tabs.generate.lesson));
  const setValue = mounted(stage, "generate-film", mountFilm, {
    trigger: () => {
      start.disabled = false;
      stop.disabled = true;
    },
  });
  showNoise();
  if (facts.race.lanes.length > 1) buildRace(place, () => settings.seed);
}

const named = (/** @type {string[]} */ titles) => Object.fromEntries(titles.map((title, k) => [k, title]));
