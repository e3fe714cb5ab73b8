// The two controls of every tab with a timestep: the slider of t, and the choice of schedule.
import { select } from "./dom.js";
import { makeSlider } from "./slider.js";
import { state, subscribe, update } from "./state.js";
import { say } from "./words.js";

const lastT = () => (state.tables[state.schedule]?.alphaBar.length ?? 1000) - 1;

/** @param {string} help */
export function timestepSlider(help) {
  const slider = makeSlider({
    label: say("timestep t"),
    help,
    max: lastT(),
    value: state.t,
    describe: (t) => `t = ${t}`,
    onInput: (t) => update({ t }),
  });
  subscribe(slider.element, (changes) => {
    if (changes.tables || changes.schedule) slider.setMax(lastT());
    if (slider.value() !== state.t) slider.set(state.t); // not while it is the one that is dragged
  });
  slider.element.classList.add("ddpm-timestep");
  return slider.element;
}

export function schedulePicker() {
  const names = () =>
    Object.fromEntries(Object.keys(state.tables).map((name) => [name, state.tables[name].text ?? name]));
  const picker = select(say("schedule"), names(), (schedule) => update({ schedule }));
  picker.input.value = state.schedule;
  subscribe(picker.element, (changes) => {
    if (changes.tables) picker.fill(names());
    if (changes.tables || changes.schedule) picker.input.value = state.schedule;
  });
  return picker.element;
}
