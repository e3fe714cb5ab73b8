// torch.randn, so that a seed means the same noise here: PyTorch's CPU generator, and its normal numbers bit by bit
// as it draws them on a processor with AVX2 (aten/src/ATen/native/cpu/DistributionTemplates.h, normal_fill_AVX2).
//
// A processor without AVX2 draws other roundings of the same numbers, at most 3e-6 apart, in PyTorch itself.

const f32 = Math.fround;
// a b + c, rounded once: a product of two float32 is exact in float64. (The sum is rounded to float64 first, which
// changes one result in some 10^9.)
const fma = (a, b, c) => f32(a * b + c);

/** Mersenne Twister 19937 (Matsumoto & Nishimura 1998), as torch.Generator().manual_seed(seed). */
export class TorchGenerator {
  /** @param {number} seed a whole number, 0 to 2^53 - 1; its lower 32 bits count, as in PyTorch */
  constructor(seed) {
    this._state = new Uint32Array(624);
    this._state[0] = seed % 2 ** 32;
    for (let i = 1; i < 624; i++) {
      const before = this._state[i - 1];
      this._state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    this._next = 624;
  }

  /** @returns {number} 32 random bits. */
  bits() {
    if (this._next === 624) this._twist();
    let y = this._state[this._next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** @returns {number} a float32 from [0, 1). */
  uniform() {
    return (this.bits() & 0xffffff) * 2 ** -24;
  }

  _twist() {
    const s = this._state;
    for (let k = 0; k < 624; k++) {
      const y = (s[k] & 0x80000000) | (s[(k + 1) % 624] & 0x7fffffff);
      s[k] = s[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this._next = 0;
  }
}

/**
 * Draw n normal numbers, n >= 16, as torch.randn(n, generator=generator); for fewer PyTorch has another way.
 * @param {number} n
 * @param {TorchGenerator} generator
 * @returns {Float32Array}
 */
export function randn(n, generator) {
  if (n < 16) throw new RangeError(`randn draws at least 16 numbers, got ${n}`);
  const numbers = Float32Array.from({ length: n }, () => generator.uniform());
  for (let i = 0; i + 16 <= n; i += 16) boxMuller(numbers, i);
  if (n % 16) {
    // the last 16 are drawn anew
    for (let i = n - 16; i < n; i++) numbers[i] = generator.uniform();
    boxMuller(numbers, n - 16);
  }
  return numbers;
}

/** Turn 16 uniform numbers into normal ones, in place: the first eight are radii, the last eight angles. */
function boxMuller(numbers, start) {
  for (let i = start; i < start + 8; i++) {
    const radius = f32(Math.sqrt(f32(-2 * log(f32(1 - numbers[i])))));
    const [sin, cos] = sinCos(f32(TWO_PI * numbers[i + 8]));
    numbers[i] = radius * cos;
    numbers[i + 8] = radius * sin;
  }
}

// ---- float32 logarithm, sine and cosine of Moshier's Cephes library, in the order of avx_mathfun.h

const TWO_PI = f32(2 * Math.PI),
  FOUR_OVER_PI = f32(4 / Math.PI),
  SQRT_HALF = f32(Math.SQRT1_2);
const SMALLEST = 2 ** -126; // normal float32
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
].map(f32);
const LN2_LOW = f32(-2.1219444e-4),
  LN2_HIGH = f32(0.693359375);
const PI_4 = [-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8].map(f32); // -pi / 4 in three parts
const SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1].map(f32);
const COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2].map(f32);

const float = new Float32Array(1),
  itsBits = new Int32Array(float.buffer);

function log(value) {
  float[0] = Math.max(value, SMALLEST);
  let exponent = (itsBits[0] >> 23) - 126;
  itsBits[0] = (itsBits[0] & 0x807fffff) | 0x3f000000; // the fraction, 0.5 to 1
  let x = float[0];
  if (x < SQRT_HALF) {
    exponent -= 1;
    x = f32(f32(x - 1) + x);
  } else x = f32(x - 1);
  const square = f32(x * x);
  let y = LOG[0];
  for (let i = 1; i < LOG.length; i++) y = fma(y, x, LOG[i]);
  y = fma(f32(y * x), square, f32(exponent * LN2_LOW));
  y = fma(square, -0.5, y);
  return fma(exponent, LN2_HIGH, f32(x + y));
}

function sinCos(angle) {
  const octant = (Math.trunc(f32(angle * FOUR_OVER_PI)) + 1) & ~1;
  let x = angle;
  for (const part of PI_4) x = fma(octant, part, x);
  const square = f32(x * x);
  let cos = fma(fma(COS[0], square, COS[1]), square, COS[2]);
  cos = f32(fma(f32(cos * square), square, -f32(square * 0.5)) + 1);
  let sin = fma(fma(SIN[0], square, SIN[1]), square, SIN[2]);
  sin = fma(f32(sin * square), x, x);
  const swapped = (octant & 2) !== 0;
  const a = swapped ? cos : sin,
    b = swapped ? sin : cos;
  return [octant & 4 ? -a : a, (octant - 2) & 4 ? b : -b];
}
