// The Receptive-field tab of the lab: the formula's curve, and the map of paths, for some patterns of dilations.
import { encodeBytes } from "../bytes.js";
import { h, select } from "../dom.js";
import { mount as mountMap } from "../tabs/receptive.js";
import { mount as mountCurve } from "../tabs/receptive_curve.js";
import { PIXELS, SIZE } from "../tabs/receptive_map.js";
import { facts } from "./facts.js";
import { mounted, prose } from "./mounted.js";
import { say } from "../words.js";

/**
 * The ways through these layers from every input pixel to one output pixel (`path_counts` in core/receptive.py); a block,
 * which is every layer but the first and the `whole` network's last, has one more, straight on.
 * @param {number[]} kernels
 * @param {number[]} dilations
 * @param {boolean} whole
 * @param {import("../pointing.js").Place} place
 */
export function pathCounts(kernels, dilations, whole, { row, col }) {
  let counts = new Float64Array(PIXELS);
  counts[row * SIZE + col] = 1;
  for (let layer = kernels.length - 1; layer >= 0; layer--) {
    const isBlock = layer > 0 && !(whole && layer === kernels.length - 1);
    const through = isBlock ? counts.slice() : new Float64Array(PIXELS);
    const reach = Math.floor(kernels[layer] / 2),
      step = dilations[layer];
    for (let i = 0; i < PIXELS; i++) {
      if (!counts[i]) continue;
      for (let down = -reach; down <= reach; down++)
        for (let right = -reach; right <= reach; right++) {
          const y = Math.floor(i / SIZE) + down * step,
            x = (i % SIZE) + right * step;
          if (y >= 0 && y < SIZE && x >= 0 && x < SIZE) through[y * SIZE + x] += counts[i];
        }
    }
    counts = through;
  }
  return counts;
}

/** @param {HTMLElement} place */
export function buildReceptiveTab(place) {
  const { patterns } = facts;
  let chosen = 0;

  async function count_paths(/** @type {import("../pointing.js").Place} */ place) {
    const { kernels, steps } = patterns[chosen];
    const counts = new Float64Array(kernels.length * PIXELS);
    for (let layers = 1; layers <= kernels.length; layers++)
      counts.set(pathCounts(kernels.slice(0, layers), steps, layers === kernels.length, place), (layers - 1) * PIXELS);
    return { counts: encodeBytes(new Uint8Array(counts.buffer)), layers: kernels.length };
  }
  const stage = h("div", { id: "receptive-stage", class: "lab-columns" });
  const sides = [h("div"), h("div")];
  stage.append(...sides);
  const words = prose(patterns[0].table, { id: "receptive-table", class: "ddpm-table prose" });
  const which = select(
    say("dilations of the blocks"),
    Object.fromEntries(patterns.map(({ name }, k) => [k, name])),
    (number) => {
      chosen = Number(number);
      const { curve, dilations, table } = patterns[chosen];
      setCurve(curve);
      setMap({ dilations });
      words.innerHTML = table;
    },
  );
  place.append(stage, prose(facts.tabs["receptive-field"].lesson), words);
  const setCurve = mounted(sides[0], "receptive-chart", mountCurve, { value: patterns[0].curve });
  sides[0].append(h("div", { class: "ddpm-mount lab-fields" }, which.element));
  const { dilations } = patterns[0];
  const setMap = mounted(sides[1], "receptive-map", mountMap, { value: { dilations }, server: { count_paths } });
}
