// Digits and noises of the lab: some of MNIST's test digits are in the page, noise is drawn here.
import { decodeBytes } from "../bytes.js";
import { PIXELS } from "../net/network.js";
import { randn, TorchGenerator } from "../net/randn.js";
import { facts } from "./facts.js";

export const LAST_SEED = 2 ** 31 - 1;

/** Grey levels as the network sees them, -1 to 1 (`to_x0` in store/mnist.py). */
export const toX0 = (/** @type {Uint8Array} */ grey) =>
  Float32Array.from(grey, (level) => Math.fround(level / 127.5) - 1);

/** How many digits of a class there are. */
export const countOf = (/** @type {number} */ label) => facts.digits.filter((digit) => digit.label === label).length;

/**
 * A digit as the shared state has it.
 * @param {number} label
 * @param {number} which
 * @returns {import("../state.js").Digit}
 */
export function testDigit(label, which) {
  const found = facts.digits.find((digit) => digit.label === label && digit.which === which);
  if (!found) throw new Error(`this lab has no digit ${label}-${which}`);
  return { x0: toX0(decodeBytes(found.pixels)), name: found.name, link: ["digit", `${label}-${which}`] };
}

/**
 * The noise of a seed, as PyTorch draws it.
 * @param {number} seed
 * @returns {import("../state.js").Noise}
 */
export const noiseOf = (seed) => ({ eps: randn(PIXELS, new TorchGenerator(seed)), seed });

/** A seed by chance. */
export const someSeed = () => Math.floor(10_000 * Math.random());
