// Numbers travel from Python to the page as base64: little-endian, as numpy writes them.

/**
 * The bytes behind a base64 text.
 * @param {string} base64
 */
export function decodeBytes(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from(text, fn) takes 100 times as long
  return bytes;
}

export const decodeFloat32 = (/** @type {string} */ base64) => new Float32Array(decodeBytes(base64).buffer);
export const decodeFloat64 = (/** @type {string} */ base64) => new Float64Array(decodeBytes(base64).buffer);

/**
 * Base64 of bytes.
 * @param {Uint8Array} bytes
 */
export function encodeBytes(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Base64 of a Float32Array. */
export const encodeFloat32 = (/** @type {Float32Array} */ values) => encodeBytes(new Uint8Array(values.buffer));

/**
 * Grey levels 0..255 from a deflated base64 text of levels of 8 bits, or of 4, two a byte.
 * @param {string} base64
 * @param {number} bits 8 or 4
 */
export async function inflateLevels(base64, bits) {
  if (!base64) return new Uint8Array(0);
  const stream = new Blob([decodeBytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  if (bits === 8) return bytes;
  const levels = new Uint8Array(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) {
    levels[2 * i] = (bytes[i] >> 4) * 17;
    levels[2 * i + 1] = (bytes[i] & 15) * 17;
  }
  return levels;
}

/**
 * Grey levels that the server has packed in 8 bits, or that this device has made.
 * @param {string | Uint8Array} pictures
 */
export const greyOf = async (pictures) => (typeof pictures === "string" ? inflateLevels(pictures, 8) : pictures);

/** @param {Uint8Array[]} parts */
export function joinedBytes(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
