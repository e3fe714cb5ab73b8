// PNG files of what the page has painted, made from its numbers: a canvas is never read back, since some browsers answer
// with noise (Firefox with resistFingerprinting, Tor, LibreWolf).
import { button, h } from "./dom.js";
import { formula } from "./maths.js";
import { imageOn } from "./paint.js";
import { say } from "./words.js";

const SAVED_WIDTH = 280; // pixels of a saved picture, or more: it should look as it does on the page

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let k = 0; k < 8; k++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/**
 * A chunk: its length, name, data and CRC (PNG specification, 5.3).
 * @param {string} name
 * @param {Uint8Array} data
 */
function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length),
    view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let k = 0; k < 4; k++) bytes[4 + k] = name.charCodeAt(k);
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(4, 8 + data.length)) crc = CRCS[(crc ^ byte) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc);
  return bytes;
}

/**
 * The PNG file of a picture, row by row: one byte a pixel is its grey level, four are red, green, blue and opacity.
 * @param {Uint8Array | Uint8ClampedArray} pixels
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function encodePng(pixels, width, height) {
  const each = pixels.length / height,
    rows = new Uint8Array(height * (1 + each)); // each behind a zero: it is not filtered
  for (let row = 0; row < height; row++) rows.set(pixels.subarray(row * each, (row + 1) * each), row * (1 + each) + 1);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head[8] = 8; // bits
  head[9] = each === width ? 0 : 6; // grey, or colour with opacity
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", head),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", new Uint8Array(0)),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * A picture of four bytes a pixel, each pixel `times` as wide and as high.
 * @param {ImageData} image
 * @param {number} times
 */
function enlarged({ data, width, height }, times) {
  const from = new Uint32Array(data.buffer),
    wide = width * times;
  const to = new Uint32Array(wide * height * times);
  for (let row = 0; row < height * times; row++) {
    const start = Math.floor(row / times) * width;
    for (let col = 0; col < wide; col++) to[row * wide + col] = from[start + Math.floor(col / times)];
  }
  return new Uint8Array(to.buffer);
}

/**
 * A small button that saves what was painted on a canvas as an enlarged PNG.
 * @param {HTMLCanvasElement} canvas
 * @param {string} name of the file
 * @param {string} called what the student knows the picture as
 */
export function pngButton(canvas, name, called) {
  const save = async () => {
    const image = imageOn(canvas);
    if (!image) return; // nothing has been painted yet
    const times = Math.ceil(SAVED_WIDTH / image.width);
    const file = await encodePng(enlarged(image, times), image.width * times, image.height * times);
    const url = URL.createObjectURL(new Blob([file], { type: "image/png" }));
    h("a", { href: url, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return button("PNG", save, {
    class: "ddpm-button ddpm-png",
    "aria-label": say("save as PNG: {name}", { name: called }),
  });
}

/**
 * A figure whose caption has the button that saves what was painted on its canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {string | Node} caption
 * @param {string} name of the file
 * @param {HTMLElement} shown the canvas, or what it stands in
 */
export function savableFigure(canvas, caption, name, shown = canvas) {
  const words = typeof caption === "string" ? caption : caption.textContent;
  return h(
    "figure",
    {},
    shown,
    h(
      "figcaption",
      {},
      ...(typeof caption === "string" ? formula(caption) : [caption]),
      " ",
      pngButton(canvas, name, canvas.getAttribute("aria-label") || words || name),
    ),
  );
}
