// Files of a film that this device has made: a picture, a moving picture, and the numbers.
import { joinedBytes } from "../bytes.js";
import { h } from "../dom.js";
import { gridOf, paintGrid } from "../paint.js";

const GIF_FRAMES = 50; // besides the finished picture
const FILM_HUNDREDTHS = 400; // that a GIF lasts, about, in the unit that GIF counts in
const STAY_HUNDREDTHS = 150; // and that its last frame stays
const COLOUR_BITS = 4;

/**
 * The digits in a grid, as PNG.
 * @param {Uint8Array} grey of n digits, one after the other
 * @param {number} n
 * @param {number} size
 * @returns {Promise<Uint8Array>}
 */
export async function gridPng(grey, n, size) {
  const canvas = h("canvas", {});
  paintGrid(canvas, grey, n, size);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * The frames of a film that its GIF has: all of a short film, the first and the last with 49 between them of a long one.
 * @template Frame
 * @param {Frame[]} frames
 * @returns {Frame[]}
 */
export function gifFrames(frames) {
  const last = frames.length - 1,
    count = Math.min(last, GIF_FRAMES);
  return count ? Array.from({ length: count + 1 }, (_, k) => frames[Math.round((k * last) / count)]) : frames;
}

/**
 * For how many hundredths of a second each frame of such a GIF is shown; browsers show what is quicker far too slowly.
 * @param {number} count of its frames
 */
export const gifHundredths = (count) => Math.max(2, Math.round(FILM_HUNDREDTHS / count));

/**
 * Frames as GIF89a, over and over. In 16 grey levels: noise does not compress, and they take half the room of 256.
 * @param {Uint8Array[]} frames each of n digits
 * @param {number} n
 * @param {number} size
 * @returns {Uint8Array}
 */
export function filmGif(frames, n, size) {
  const { columns, width, height } = gridOf(n, size),
    gap = 2;
  const short = (/** @type {number} */ value) => [value & 255, value >> 8];
  /** @type {number[]} */
  const bytes = [...ascii("GIF89a"), ...short(width), ...short(height), 0xb3, 0, 0]; // a table of 16 colours follows
  for (let level = 0; level < 256; level += 17) bytes.push(level, level, level);
  bytes.push(0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, 0, 0, 0);
  frames.forEach((frame, k) => {
    const pixels = new Uint8Array(width * height).fill(15);
    for (let digit = 0; digit < n; digit++) {
      const left = (digit % columns) * (size + gap),
        top = Math.floor(digit / columns) * (size + gap);
      for (let row = 0; row < size; row++) {
        const from = (digit * size + row) * size;
        const line = frame.subarray(from, from + size).map((grey) => grey >> 4);
        pixels.set(line, (top + row) * width + left);
      }
    }
    bytes.push(
      0x21,
      0xf9,
      4,
      0,
      ...short(k < frames.length - 1 ? gifHundredths(frames.length) : STAY_HUNDREDTHS),
      0,
      0,
    );
    bytes.push(0x2c, 0, 0, 0, 0, ...short(width), ...short(height), 0, COLOUR_BITS);
    const packed = lzw(pixels);
    for (let at = 0; at < packed.length; at += 255) {
      const block = packed.subarray(at, at + 255);
      bytes.push(block.length, ...block);
    }
    bytes.push(0);
  });
  bytes.push(0x3b);
  return Uint8Array.from(bytes);
}

/**
 * GIF's form of Lempel, Ziv & Welch's compression (Welch 1984), of colours 0 to 15.
 * @param {Uint8Array} pixels
 */
function lzw(pixels) {
  const CLEAR = 1 << COLOUR_BITS,
    END = CLEAR + 1,
    MOST = 4096;
  /** @type {number[]} */
  const out = [];
  let held = 0,
    bits = 0,
    width = COLOUR_BITS + 1;
  /** @type {Map<number, number>} */
  const codes = new Map(); // of a code and the colour that follows it
  const put = (/** @type {number} */ code) => {
    held |= code << bits;
    for (bits += width; bits >= 8; bits -= 8, held >>>= 8) out.push(held & 255);
  };
  put(CLEAR);
  let before = pixels[0],
    next = END + 1;
  for (let i = 1; i < pixels.length; i++) {
    const key = before * 256 + pixels[i],
      known = codes.get(key);
    if (known !== undefined) {
      before = known;
      continue;
    }
    put(before);
    if (next < MOST) {
      codes.set(key, next);
      if (next === 1 << width) width++;
      next++;
    } else {
      put(CLEAR);
      codes.clear();
      width = COLOUR_BITS + 1;
      next = END + 1;
    }
    before = pixels[i];
  }
  put(before);
  put(END);
  if (bits) out.push(held & 255);
  return Uint8Array.from(out);
}

/**
 * A film as a table for a spreadsheet, a frame of a digit a row: t, the digit's number from 1, its grey levels.
 * @param {Pick<import("./film_state.js").Film, "frames" | "steps" | "n" | "size">} film
 * @returns {Uint8Array}
 */
export function filmCsv({ frames, steps, n, size }) {
  const pixels = size * size,
    names = Array.from({ length: pixels }, (_, k) => `pixel${k}`);
  const rows = frames.flatMap(({ x_t }, k) =>
    Array.from({ length: n }, (_, digit) => [
      steps[k].t,
      digit + 1,
      ...x_t.subarray(digit * pixels, (digit + 1) * pixels),
    ]),
  );
  return new TextEncoder().encode(
    [["t", "digit", ...names], ...rows].map((row) => row.join(",")).join("\r\n") + "\r\n",
  );
}

/**
 * Arrays by name as numpy reads them (`numpy.load`): a zip archive, not compressed, of npy files.
 * @param {Record<string, {values: Uint8Array | Float32Array | Int32Array | string, shape: number[]}>} arrays
 * @returns {Uint8Array}
 */
export function npz(arrays) {
  return zip(Object.entries(arrays).map(([name, array]) => ({ name: `${name}.npy`, bytes: npy(array) })));
}

/** @param {{values: Uint8Array | Float32Array | Int32Array | string, shape: number[]}} array */
function npy({ values, shape }) {
  const text = typeof values === "string" ? values : "";
  const letters = Uint32Array.from(text, (letter) => letter.codePointAt(0) ?? 0); // numpy's texts are UTF-32
  const kind = text
    ? `<U${letters.length}`
    : ({ Uint8Array: "|u1", Float32Array: "<f4" }[values.constructor.name] ?? "<i4");
  const data = typeof values === "string" ? letters : values;
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const words = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${dims}), }`;
  const padded = words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + "\n"; // the data begin at 64 bytes
  const head = [0x93, ...ascii("NUMPY"), 1, 0, padded.length & 255, padded.length >> 8, ...ascii(padded)];
  return joinedBytes([Uint8Array.from(head), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** @param {{name: string, bytes: Uint8Array}[]} files */
function zip(files) {
  /** @type {Uint8Array[]} */
  const parts = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let at = 0;
  for (const { name, bytes } of files) {
    // version 2.0, no flags, stored, 1 January 1980, checksum, sizes, length of the name, nothing more
    const what = numbers(
      [2, 20],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 33],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    );
    const start = joinedBytes([numbers([4, 0x04034b50]), what, Uint8Array.from(ascii(name))]);
    directory.push(
      joinedBytes([
        numbers([4, 0x02014b50], [2, 20]),
        what,
        numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, at]),
        Uint8Array.from(ascii(name)),
      ]),
    );
    parts.push(start, bytes);
    at += start.length + bytes.length;
  }
  const length = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = numbers(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, length],
    [4, at],
    [2, 0],
  );
  return joinedBytes([...parts, ...directory, end]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** Whole numbers, each [bytes, value], little-endian. */
function numbers(/** @type {[number, number][]} */ ...all) {
  return Uint8Array.from(
    all.flatMap(([bytes, value]) => Array.from({ length: bytes }, (_, k) => (value >>> (8 * k)) & 255)),
  );
}

/** @param {string} text */
const ascii = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
