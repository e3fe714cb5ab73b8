// The plan of a walk as films/plan.py writes it, made ready for walk.js.
import { decodeBytes, decodeFloat32 } from "../bytes.js";

/**
 * A plan as Python sends it, its pictures unpacked.
 * @param {any} sent
 * @returns {import("./walk.js").Plan}
 */
export function unpackedPlan(sent) {
  const { start, known } = sent;
  return {
    ...sent,
    start: start ? decodeFloat32(start) : null,
    known: known ? { x0: decodeFloat32(known.x0), mask: decodeBytes(known.mask) } : null,
  };
}
