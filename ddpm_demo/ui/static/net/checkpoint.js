// Reads a checkpoint as `ddpm-demo train` writes it: safetensors, its configuration in the header as JSON.

const READERS = {
  // by safetensors' names of number formats
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) =>
    widened(new Uint16Array(bytes), (bits) => ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13), 2 ** 112),
  BF16: (bytes) => widened(new Uint16Array(bytes), (bits) => bits << 16, 1),
};

/** Numbers of 16 bits as float32: sign, exponent and fraction go to their places; the exponents count from elsewhere. */
function widened(short, placed, factor) {
  const numbers = new Float32Array(short.length),
    bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < short.length; i++) bits[i] = placed(short[i]);
  if (factor !== 1) for (let i = 0; i < numbers.length; i++) numbers[i] *= factor;
  return numbers;
}

/**
 * @typedef {object} Checkpoint
 * @property {{hidden: number, groups: number, dilations: number[], time_dim: number}} model
 * @property {{kind: string, timesteps: number, beta_1: number, beta_T: number}} schedule
 * @property {Object<string, Float32Array>} tensors by PyTorch's names, each in its own order
 */

/**
 * Read a checkpoint's bytes, which the program has checked before it hands them out; throws an Error if they are none.
 * @param {ArrayBuffer} buffer
 * @returns {Checkpoint}
 */
export function readCheckpoint(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: texts, ...entries } = header;
  const tensors = {};
  for (const [
    name,
    {
      dtype,
      data_offsets: [begin, end],
    },
  ] of Object.entries(entries)) {
    tensors[name] = READERS[dtype](buffer.slice(8 + length + begin, 8 + length + end));
  }
  return { model: JSON.parse(texts.model), schedule: JSON.parse(texts.schedule), tensors };
}
