// The Noise tab of the lab: the page's own stage and details, with fields of the browser's.
import { decodeFloat32 } from "../bytes.js";
import { button, h, select } from "../dom.js";
import { state, subscribe, update } from "../state.js";
import { networkHere } from "../tabs/network_here.js";
import { mount as mountDetails } from "../tabs/noise_details.js";
import { makeNoiseStage } from "../tabs/noise_stage.js";
import { countOf, LAST_SEED, noiseOf, someSeed, testDigit } from "./digits.js";
import { facts } from "./facts.js";
import { wholeNumber } from "./fields.js";
import { mounted, prose } from "./mounted.js";
import { makeOwnDigit } from "./own_digit.js";
import { say } from "../words.js";

/** @param {HTMLElement} place */
export function buildNoiseTab(place) {
  const { first } = facts;
  let which = 0;
  const label = select(
    say("digit"),
    Object.fromEntries([...new Set(facts.digits.map((digit) => digit.label))].map((each) => [each, each])),
    (chosen) => {
      which = 0;
      update({ digit: testDigit(Number(chosen), which) });
    },
  );
  label.input.value = String(first);
  const seed = wholeNumber(say("noise seed"), 0, LAST_SEED, (number) => update({ noise: noiseOf(number) }));
  const another = button(say("Another one"), () => {
    which = (which + 1) % countOf(Number(label.input.value));
    update({ digit: testDigit(Number(label.input.value), which) });
  });
  const fresh = button(say("New noise"), () => update({ noise: noiseOf(someSeed()) }));
  const fields = h("div", { class: "ddpm-row lab-fields" }, label.element, another, seed.element, fresh);

  update({ digit: testDigit(first, 0), noise: noiseOf(0) });
  const stage = makeNoiseStage(facts.noise);
  place.append(h("div", { id: "noise-view" }, h("div", { class: "ddpm-mount" }, stage.element, fields)));
  /** The fields say what is shown, whoever has set it. */
  subscribe(fields, (changes) => {
    const { digit, noise } = state;
    if (changes.noise && noise) seed.input.value = String(noise.seed);
    if (!changes.digit || digit?.link[0] !== "digit") return;
    const [shown, number] = digit.link[1].split("-");
    label.input.value = shown;
    which = Number(number);
  });
  place.append(prose(facts.tabs.noise.lesson));
  const names = { checkpoints: { [facts.network.checkpoint]: facts.network.checkpoint } };
  const network_facts = async () => facts.network;
  const here = networkHere({ network_facts });
  /** What the page asks the server while nobody looks at the answer, or where a browser cannot. */
  const look = async (/** @type {any} */ { x_t, alpha_bar }) => {
    const answer = await here.lookOnceReady(facts.network.checkpoint, decodeFloat32(x_t), alpha_bar);
    const givenUp = say("this browser has given up");
    return answer ?? { error: say("{why}: there is no answer of the network", { why: here.why() || givenUp }) };
  };
  const server = { network_facts, look };
  mounted(place, "noise-details", mountDetails, { value: names, server });
  place.append(
    h(
      "div",
      { class: "ddpm-mount" },
      makeOwnDigit((digit) => update({ digit })),
    ),
  );
}
