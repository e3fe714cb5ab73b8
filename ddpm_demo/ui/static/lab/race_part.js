// The race of the lab, below its film: two to four settings from one noise, and the page's own race.
import { button, checkbox, h } from "../dom.js";
import { mount as mountRace } from "../film/race.js";
import { facts } from "./facts.js";
import { rangeField } from "./fields.js";
import { mounted, prose } from "./mounted.js";
import { plannedSteps } from "./plans.js";
import { say } from "../words.js";

/**
 * @param {HTMLElement} place
 * @param {() => number} seedOf the seed of the film
 */
export function buildRace(place, seedOf) {
  const { race } = facts;
  let n = 4,
    presses = 0;
  const boxes = race.lanes.map((lane) => {
    const box = checkbox(lane.name, offer);
    box.input.checked = lane.first;
    return { ...box, lane };
  });
  const chosen = () => boxes.filter(({ input }) => input.checked).map(({ lane }) => lane);
  const count = rangeField(
    { label: say("Number in each lane"), min: 1, max: race.most_digits, step: 1, value: n },
    (many) => {
      n = many;
    },
  );
  const start = button(say("Race"), run, { id: "race-start", class: "ddpm-button ddpm-primary" });
  const stop = button(say("Stop the race"), () => setValue({ press: ++presses }), { id: "race-stop" });
  const words = h("p", { class: "ddpm-help" });
  place.append(
    prose(race.words, { id: "race" }),
    h(
      "div",
      { class: "ddpm-mount lab-form" },
      h(
        "div",
        { class: "ddpm-row", role: "group", "aria-label": say("settings that race") },
        ...boxes.map(({ element }) => element),
      ),
      count.element,
      h("div", { class: "ddpm-row" }, start, stop),
      words,
    ),
  );
  const setValue = mounted(place, "race-film", mountRace);
  offer();

  /** A race is of two to four. */
  function offer() {
    const many = chosen().length;
    start.disabled = many < 2 || many > race.most_lanes;
    words.textContent = start.disabled
      ? say("Choose two to {most} settings for a race.", { most: race.most_lanes })
      : say("All clip x̂₀.");
  }
  function run() {
    const lanes = chosen(),
      seed = seedOf();
    const walks = lanes.map(({ settings, frames }) => ({
      plan: {
        seed,
        n,
        clip: settings.clip,
        guidance: null,
        steps: plannedSteps({ ...settings, n, seed, weight: null }),
      },
      network: facts.network.digest,
      guide: "",
      frames,
    }));
    const shown = lanes.map(({ name, calls, contrast }) => ({ name, calls, contrast }));
    const planned = { walks, n, size: 28, in_a_row: false, grey: race.grey, lanes: shown };
    setValue({ run: planned, press: ++presses, origin: "" });
  }
}
