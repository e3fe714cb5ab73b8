// Whether a canvas gives back what was painted on it. Browsers that resist fingerprinting answer with noise or
// with nothing; what the page saves and sends it makes from its own numbers, and asks here only where that cannot be.
import { contextOf, h } from "./dom.js";

const SIDE = 4;

/** Paint a pattern, read it back, and say whether it is the same. */
export function canvasIsReadable() {
  const context = contextOf(h("canvas", { width: SIDE, height: SIDE }));
  const image = context.createImageData(SIDE, SIDE);
  for (let k = 0; k < image.data.length; k++) image.data[k] = k % 4 === 3 ? 255 : (37 * k) % 256;
  context.putImageData(image, 0, 0);
  try {
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    return image.data.every((value, k) => value === data[k]);
  } catch {
    return false;
  }
}
