// What `ddpm-demo lab` has written into the page: numbers of Python's as JSON, and files as they are.
import { decodeBytes } from "../bytes.js";
import { say } from "../words.js";

/**
 * A row of the table of samplers as it is offered: `etas` are the settings of η that there are plans for.
 * @typedef {{title: string, settings: Record<string, any>, etas: number[], formula: string,
 *            words: Record<string, Record<string, string>[]>}} OfferedSampler
 * What the form is set to; `sampler` is a place in `Facts.samplers`.
 * @typedef {{sampler: number, steps: number, eta: number, clip: "none" | "x0" | "x_t", n: number, seed: number,
 *            weight: number | null}} LabSettings
 * A column of a plan: one number at every step, or float64 in base64, or the name of the column that it equals.
 * @typedef {number | string} Column
 * @typedef {{std: Column, calls: {steps: number, columns: Record<string, Column>}[]}} PackedPlan
 *
 * @typedef {object} Facts see `lab_facts` in ui/lab/facts.py
 * @property {Record<string, any>} noise
 * @property {number} first the class of the digit that is shown first
 * @property {{label: number, which: number, name: string, pixels: string}[]} digits
 * @property {{checkpoint: string, digest: string, alpha_bar: string, held_out: (number | null)[] | null,
 *             held_out_digits: number}} network
 * @property {{name: string, digest: string} | null} guide
 * @property {OfferedSampler[]} samplers
 * @property {number[]} steps
 * @property {number} most_digits of a film
 * @property {Record<string, number[]>} timesteps
 * @property {Record<string, number[]>} frames
 * @property {Record<string, PackedPlan>} plans
 * @property {{words: string, most_lanes: number, most_digits: number, grey: number, lanes: {name: string, first: boolean, calls: number,
 *             contrast: number | null, settings: Pick<LabSettings, "sampler" | "steps" | "eta" | "clip">,
 *             frames: number[]}[]}} race
 * @property {Record<string, {words: string, clean: string}>} clips
 * @property {LabSettings} opening
 * @property {{plain: string, guided: string}} programs
 * @property {{name: string, curve: any, table: string, dilations: number[], kernels: number[], steps: number[]}[]} patterns
 * @property {Record<string, {title: string, lead: string, lesson: string}>} tabs
 * @property {Record<string, any> | null} lessons see `lessons_value` in ui/lab/lessons.py
 * @property {string} seed_contract what the same seed gives, and where
 * @property {Record<string, string> | null} files their addresses, where the lab is a folder; else they are in the page
 * @property {import("../glossary.js").Glossary} glossary
 * @property {string} about
 * @property {string} cannot
 */

/** @type {Facts} */
export const facts = JSON.parse(/** @type {any} */ (document.getElementById("lab-facts")).textContent);

/** Kept once the whole page is here: the files stand at its end. */
const whole = new Promise((resolve) => {
  if (document.readyState !== "loading") resolve(null);
  else document.addEventListener("DOMContentLoaded", resolve, { once: true });
});

/**
 * The bytes of a file that this page holds, by its name.
 * @param {string} name
 * @returns {Promise<ArrayBuffer>}
 */
export async function fileBytes(name) {
  if (facts.files) return fetchedBytes(facts.files[name]);
  await whole;
  const text = document.getElementById(`file-${name}`)?.textContent;
  if (!text) throw new Error(say("the file {name} is missing", { name }));
  return /** @type {ArrayBuffer} */ (decodeBytes(text.trim()).buffer);
}

async function fetchedBytes(/** @type {string} */ address) {
  const answer = await fetch(address).catch(() => null);
  if (answer?.ok) return answer.arrayBuffer();
  const disk = location.protocol === "file:";
  throw new Error(
    disk
      ? say("this folder is for a web space, and a disk takes the lab in one file")
      : say("the file {name} is missing", { name: address }),
  );
}
