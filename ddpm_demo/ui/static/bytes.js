// Numbers travel from Python to the page as base64: little-endian, as numpy writes them.

/** @returns {Uint8Array} the bytes behind a base64 text. */
export function decodeBytes(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from(text, fn) takes 100 times as long
  return bytes;
}

export const decodeFloat32 = (base64) => new Float32Array(decodeBytes(base64).buffer);
export const decodeFloat64 = (base64) => new Float64Array(decodeBytes(base64).buffer);

/** @returns {string} base64 of a Float32Array. */
export function encodeFloat32(values) {
  let text = "";
  for (const byte of new Uint8Array(values.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}
