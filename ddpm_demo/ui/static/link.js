// The state of the screen in the page's own address, so that a link or a reload brings it back.
import { placeIn } from "./component.js";
import { known, state } from "./state.js";

const OURS = ["digit", "pixels", "seed", "t", "schedule", "custom", "pixel", "stage", "dilations"];

/** @type {string | null} */
let said = null; // what the address says already, or need not say
let read = false; // by Python

/** What the address should say of the screen. */
function words() {
  const { digit, noise } = known();
  const [kind, value] = digit.link,
    { row, col } = state.pixel;
  /** @type {Record<string, any>} */
  const now = { [kind]: value, seed: noise.seed, t: state.t, schedule: state.schedule };
  if (state.schedule === "custom") now.custom = state.tables.custom.link;
  if (row !== 14 || col !== 14) now.pixel = `${row}-${col}`;
  if (state.stage !== "blocks.0") now.stage = state.stage;
  if (state.dilations) now.dilations = state.dilations.join("-");
  return now;
}

/** Take the screen as it is now for one that the address need not describe. */
export function beginLink() {
  said ??= JSON.stringify(words());
}

/**
 * Write what has changed. Gradio sends the page's address along when it asks Python what a link means, and on a slow
 * machine that may be long after the first drag: until Python has answered it should find the address as it was.
 */
export function writeLink() {
  if (!read) return;
  const now = words(),
    text = JSON.stringify(now);
  if (said === text) return;
  said = text;
  const address = new URL(location.href);
  for (const name of OURS) address.searchParams.delete(name);
  for (const [name, value] of Object.entries(now)) address.searchParams.set(name, value);
  showAddress(address);
}

/**
 * Let the page's address be this one, and tell whoever shows it.
 * @param {URL} address
 */
export function showAddress(address) {
  try {
    history.replaceState(history.state, "", address);
  } catch {
    return; // a page from a disk, or inside another one, may not be allowed an address
  }
  dispatchEvent(new Event("ddpm-address"));
}

/**
 * The component that Python answers when it has read the address.
 * @type {import("./component.js").Mount}
 */
export function mount(element, props, watch) {
  placeIn(element).replaceChildren();
  const onAnswer = () => {
    if (!props.value || read) return;
    read = true;
    setTimeout(writeLink); // what the same answer sets comes first
  };
  watch("value", onAnswer);
  onAnswer();
}
