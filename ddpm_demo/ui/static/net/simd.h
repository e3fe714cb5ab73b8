// Four floats at once: short names for WebAssembly's SIMD instructions, and the exponential.
#pragma once
#include <wasm_simd128.h>

#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline)) // a function of its own: inlined, its variables no longer fit registers

typedef v128_t V;
#define ADD wasm_f32x4_add
#define SUB wasm_f32x4_sub
#define MUL wasm_f32x4_mul
#define DIV wasm_f32x4_div
#define ALL(x) wasm_f32x4_splat(x)
#define LOAD(p) wasm_v128_load(p)
#define STORE(p, v) wasm_v128_store(p, v)
#define LOAD_ALL(p) wasm_v128_load32_splat(p)

// a b + c: with relaxed SIMD rounded once, where the processor can
#ifdef __wasm_relaxed_simd__
#define FMA(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#define TO_INT wasm_i32x4_relaxed_trunc_f32x4
#else
#define FMA(a, b, c) ADD(MUL(a, b), c)
#define TO_INT wasm_i32x4_trunc_sat_f32x4
#endif

// Loads that the compiler leaves where they stand. It would gather them at the top of a loop, and the browser's own
// compiler, which has 16 registers, then keeps half of them in memory: 26 GFLOP/s instead of 46.
#define LOAD_HERE(v, p, bytes) \
  __asm__ volatile("local.get %1\n\tv128.load %2\n\tlocal.set %0" : "=r"(v) : "r"(p), "i"(bytes))
#define LOAD_ALL_HERE(v, p, bytes) \
  __asm__ volatile("local.get %1\n\tv128.load32_splat %2\n\tlocal.set %0" : "=r"(v) : "r"(p), "i"(bytes))
#define SETTLE(v) __asm__ volatile("" : "+r"(v)) // stops it from nesting the sums of several rounds of a loop

INLINE float sum_of(V a) {
  return (wasm_f32x4_extract_lane(a, 0) + wasm_f32x4_extract_lane(a, 1)) +
         (wasm_f32x4_extract_lane(a, 2) + wasm_f32x4_extract_lane(a, 3));
}

// e^x: 2^n e^r with r in [-ln 2 / 2, ln 2 / 2] and the polynomial of Moshier's Cephes library, within 2 units of the
// last place. Beyond [-87, 88] it stays at the ends.
INLINE V exp_of(V x) {
  x = wasm_f32x4_pmin(ALL(88.0f), wasm_f32x4_pmax(ALL(-87.0f), x));
  V n = wasm_f32x4_nearest(MUL(x, ALL(1.44269504f)));
  V r = FMA(n, ALL(-0.693359375f), x); // ln 2 in two parts: n times the first is exact
  r = FMA(n, ALL(2.12194440e-4f), r);
  V p = ALL(1.9875691500e-4f);
  p = FMA(p, r, ALL(1.3981999507e-3f));
  p = FMA(p, r, ALL(8.3334519073e-3f));
  p = FMA(p, r, ALL(4.1665795894e-2f));
  p = FMA(p, r, ALL(1.6666665459e-1f));
  p = FMA(p, r, ALL(5.0000001201e-1f));
  p = ADD(FMA(MUL(r, r), p, r), ALL(1));
  return MUL(p, wasm_i32x4_shl(wasm_i32x4_add(TO_INT(n), wasm_i32x4_splat(127)), 23));
}
