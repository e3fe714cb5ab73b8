// The rest of the Noise tab: ten moments, the network's view, the histogram, the chain, and a digit of the student's own.
import { placeIn } from "../component.js";
import { makeChainPanel } from "./chain.js";
import { h, nextFrame, onPaper, settled } from "../dom.js";
import { makeHistogram } from "./histogram.js";
import { makeIdealPanel } from "./ideal_look.js";
import { makeNetworkPanel } from "./network_look.js";
import { makePad } from "./pad.js";
import { mixture, readValue, state, subscribe, update } from "../state.js";
import { makeStrip } from "./strip.js";
import { say } from "../words.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const strip = makeStrip();
  const network = makeNetworkPanel(server);
  // the lab has no server that could answer these two
  const ideal = server.ideal_answer ? makeIdealPanel(server) : null;
  const pad = server.read_picture ? makePad(server, (digit) => update(readValue({ digit }))) : null;
  const histogram = makeHistogram(say("histogram of the values of xₜ, against the curve of N(0, 1)"));
  const chain = makeChainPanel();
  const all = h(
    "div",
    {},
    h("h3", {}, say("Ten moments of the way")),
    strip.element,
    h(
      "div",
      { class: "ddpm-columns" },
      network.element,
      h("div", {}, h("h3", {}, say("The values of xₜ, and the curve of N(0, 1)")), histogram.element),
    ),
    ...(ideal ? [ideal.element] : []),
    chain.element,
    ...(pad ? [pad] : []),
  );
  placeIn(element).replaceChildren(all);

  const rest = settled(() => {
    network.ask();
    ideal?.ask();
    chain.run();
  });
  let seen = false; // the histogram, which is not drawn sixty times a second for nobody
  function drawHistogram(wanted = seen) {
    if (wanted && state.digit && state.noise) histogram.draw(mixture());
  }
  onPaper(() => drawHistogram(true));
  new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    drawHistogram();
  }).observe(histogram.element);
  function paint(changes) {
    if (!state.digit || !state.noise) return; // the top of the tab, which brings them, is not there yet
    drawHistogram();
    if (changes.digit || changes.noise || changes.schedule || changes.tables) strip.paint();
    if (!changes.mounted) network.follow();
    ideal?.forget();
    rest();
  }
  const offer = () => props.value && network.offer(props.value.checkpoints);
  watch("value", offer);
  offer();
  subscribe(all, nextFrame(paint));
  paint({ digit: true, mounted: true });
}
