// The top of the Noise tab as a component of Gradio: its fields change the stage, and follow it.
import { placeIn } from "../component.js";
import { takeFirstScreen } from "../first_screen.js";
import { makeNoiseStage } from "./noise_stage.js";
import { known, readValue, state, subscribe, update } from "../state.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server, trigger) {
  const place = placeIn(element);
  const stage = takeFirstScreen(place) ?? makeNoiseStage(props.value);
  /** @type {{digit: string, seed: number | null}} */
  const fields = { digit: "", seed: null }; // what Gradio's own fields show
  if (!stage.element.isConnected) place.replaceChildren(stage.element);

  function follow({ digit, noise }) {
    if (digit) fields.digit = digit.link.join();
    if (noise) fields.seed = noise.seed;
  }
  /** Let the fields follow what somebody else has set, such as a lesson; a digit of the student's own has no number there. */
  function lead(changes) {
    if (!changes.digit && !changes.noise) return;
    const { digit, noise } = known();
    const [kind, name] = digit.link,
      { seed } = noise,
      [label, which] = name.split("-");
    if (seed === fields.seed && (kind !== "digit" || digit.link.join() === fields.digit)) return;
    follow(state);
    trigger("submit", kind === "digit" ? { label, which: Number(which), seed } : { seed });
  }
  follow(props.value);
  subscribe(place, lead);
  watch("value", () => {
    stage.tell(props.value.note ?? "");
    follow(props.value);
    update(readValue(props.value));
  });
}
