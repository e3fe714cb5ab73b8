// The state of the screen in the page's own address, so that a link or a reload brings it back.
import { state } from "./state.js";

const OURS = ["digit", "pixels", "seed", "t", "schedule", "custom", "pixel", "stage", "dilations"];

let known = null; // what the address says already, or need not say

/** What the address should say of the screen. */
function words() {
  const [kind, value] = state.digit.link, { row, col } = state.pixel;
  const said = { [kind]: value, seed: state.noise.seed, t: state.t, schedule: state.schedule };
  if (state.schedule === "custom") said.custom = state.tables.custom.link;
  if (row !== 14 || col !== 14) said.pixel = `${row}-${col}`;
  if (state.stage !== "blocks.0") said.stage = state.stage;
  if (state.dilations) said.dilations = state.dilations.join("-");
  return said;
}

/**
 * Write what has changed since the first call, which only looks: Gradio sends the page's address along when it asks
 * Python what a link means, and on a slow machine that may come after the first picture has been painted.
 */
export function writeLink() {
  if (document.getElementById("first-screen")) return; // Python has not been asked yet, and should not find it changed
  const said = words(), text = JSON.stringify(said);
  const first = known === null, same = known === text;
  known = text;
  if (first || same) return;
  const address = new URL(location.href);
  for (const name of OURS) address.searchParams.delete(name);
  for (const [name, value] of Object.entries(said)) address.searchParams.set(name, value);
  showAddress(address);
}

/** Let the page's address be this one, and tell whoever shows it. */
export function showAddress(address) {
  history.replaceState(history.state, "", address);
  dispatchEvent(new Event("ddpm-address"));
}
