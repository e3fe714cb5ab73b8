// The denoiser on this device: eps_hat(x_t, t) by the WebAssembly of net.c, with the weights of a checkpoint.
import { say } from "../words.js";

export const PIXELS = 784; // of an image, 28 x 28

// what net.c's `place` can be asked for, in its order
const [DILATIONS, IMAGE_IN, IMAGE_OUT, TIME, IN_WEIGHT, IN_BIAS, OUT_WEIGHT, OUT_BIAS, RAW, BIAS, GAIN, SHIFT] =
  Array.from({ length: 12 }, (_, place) => place);

const f32 = Math.fround;
const silu = (x) => x / (1 + Math.exp(-x));

/**
 * What a build of net.c gives.
 * @typedef {object} Net
 * @property {WebAssembly.Memory} memory
 * @property {(width: number, groups: number, blocks: number) => number} create
 * @property {(place: number, block: number) => number} place
 * @property {(block: number) => void} pack
 * @property {() => void} forward
 */

/** The network of a checkpoint, with memory of its own. `forward` runs where it is called, and returns when it is done. */
export class Network {
  /**
   * Throws an Error where the browser refuses the module or its memory.
   * @param {WebAssembly.Module} module a build of net.c
   * @param {import("./checkpoint.js").Checkpoint} checkpoint
   */
  constructor(module, { model, tensors }) {
    /** @type {Net} */
    const net = (this.net = /** @type {any} */ (new WebAssembly.Instance(module).exports));
    const { hidden: width, groups, dilations } = (this.model = model);
    new Int32Array(net.memory.buffer, net.place(DILATIONS, 0), dilations.length).set(dilations);
    if (!net.create(width, groups, dilations.length)) throw new Error(say("this device has no memory for the network"));
    this._fillTaps(IN_WEIGHT, tensors["in_project.weight"], 49);
    this._fillTaps(OUT_WEIGHT, tensors["out_project.weight"], 9);
    this._fill(IN_BIAS, tensors["in_project.bias"]);
    this._fill(OUT_BIAS, tensors["out_project.bias"]);
    dilations.forEach((_, block) => {
      const named = (name) => tensors[`blocks.${block}.${name}`];
      this._fill(RAW, named("conv.weight"));
      net.pack(block);
      this._fill(BIAS, named("conv.bias"), block);
      this._fill(GAIN, named("norm.weight"), block);
      this._fill(SHIFT, named("norm.bias"), block);
    });
    this._time = ["0.weight", "0.bias", "2.weight", "2.bias"].map((name) => tensors[`time_project.${name}`]);
    this._image = this._view(IMAGE_IN, PIXELS);
    this._answer = this._view(IMAGE_OUT, PIXELS);
  }

  /**
   * The noise that the network sees in images.
   * @param {Float32Array} x_t (n, 28, 28)
   * @param {number} t the timestep of them all
   * @param {(done: number) => void} [after] is told after each image how many are done
   * @returns {Float32Array} eps_hat (n, 28, 28)
   */
  forward(x_t, t, after = () => {}) {
    const eps_hat = new Float32Array(x_t.length);
    this._fill(TIME, this.timeVector(t));
    for (let start = 0; start < x_t.length; start += PIXELS) {
      this._image.set(x_t.subarray(start, start + PIXELS));
      this.net.forward();
      eps_hat.set(this._answer, start);
      after(start / PIXELS + 1);
    }
    return eps_hat;
  }

  /** time_project of the embedding of t, one number a channel; what PyTorch rounds to float32 is rounded here. */
  timeVector(t) {
    const half = this.model.time_dim / 2,
      rate = f32(-Math.log(10000) / (half - 1));
    const angles = Float32Array.from({ length: half }, (_, k) => t * f32(Math.exp(f32(k * rate))));
    const embedding = Float32Array.of(...angles.map(Math.sin), ...angles.map(Math.cos));
    const [w0, b0, w2, b2] = this._time;
    return linear(w2, b2, linear(w0, b0, embedding).map(silu));
  }

  _view(place, length, block = 0) {
    return new Float32Array(this.net.memory.buffer, this.net.place(place, block), length);
  }

  _fill(place, values, block = 0) {
    this._view(place, values.length, block).set(values);
  }

  /** Weights (channels, taps) go to [tap][channel], with room for channels that fill a block of 8. */
  _fillTaps(place, weights, taps) {
    const channels = weights.length / taps,
      padded = 8 * Math.ceil(channels / 8);
    const view = this._view(place, taps * padded);
    for (let c = 0; c < channels; c++) for (let k = 0; k < taps; k++) view[k * padded + c] = weights[c * taps + k];
  }
}

/** weight (outputs, inputs) times a vector, plus bias. */
function linear(weight, bias, inputs) {
  return bias.map((start, row) => {
    let sum = start;
    for (let k = 0, at = row * inputs.length; k < inputs.length; k++) sum += weight[at + k] * inputs[k];
    return sum;
  });
}
