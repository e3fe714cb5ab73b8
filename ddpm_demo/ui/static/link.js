// The state of the screen in the page's own address, so that a link or a reload brings it back.
import { state } from "./state.js";

const OURS = ["digit", "pixels", "seed", "t", "schedule", "custom", "pixel", "stage", "dilations"];

export function writeLink() {
  const address = new URL(location.href);
  for (const name of OURS) address.searchParams.delete(name);
  const [kind, value] = state.digit.link;
  address.searchParams.set(kind, value);
  address.searchParams.set("seed", state.noise.seed);
  address.searchParams.set("t", state.t);
  address.searchParams.set("schedule", state.schedule);
  if (state.schedule === "custom") address.searchParams.set("custom", state.tables.custom.link);
  const { row, col } = state.pixel;
  if (row !== 14 || col !== 14) address.searchParams.set("pixel", `${row}-${col}`);
  if (state.stage !== "blocks.0") address.searchParams.set("stage", state.stage);
  if (state.dilations) address.searchParams.set("dilations", state.dilations.join("-"));
  history.replaceState(history.state, "", address);
}
