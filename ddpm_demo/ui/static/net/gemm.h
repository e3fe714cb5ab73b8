// Matrix products, where nearly all of the time goes: o[pixel][out] = sum over in of x[pixel][in] w[in][out].
//
// Channels lie in blocks of 8: x as [block][pixel][8], w as [block of outputs][input][8], o as x. So every address of
// the innermost loop is one pointer and a constant, whatever the width of the network.
#pragma once
#include "simd.h"

enum { BLOCK = 8 };

#define PIXEL(p)                              \
  if (p < PIXELS) {                           \
    V s;                                      \
    LOAD_ALL_HERE(s, x, 4 * BLOCK * p);       \
    sum[p][0] = FMA(s, w0, sum[p][0]);        \
    sum[p][1] = FMA(s, w1, sum[p][1]);        \
    SETTLE(sum[p][0]);                        \
    SETTLE(sum[p][1]);                        \
  }
// n pixels times 8 outputs stay in registers while all inputs pass, one a round: 4 pixels and no unrolling are quick
// in every browser's compiler, larger tiles or rounds in some. A block of x takes `step` floats.
#define TILE(n)                                                                                       \
  APART void tile##n(const float *x, int step, const float *w, int blocks, float *o, int add) {       \
    enum { PIXELS = n };                                                                              \
    V sum[n][2];                                                                                      \
    for (int p = 0; p < n; p++) {                                                                     \
      sum[p][0] = add ? LOAD(o + BLOCK * p) : ALL(0);                                                 \
      sum[p][1] = add ? LOAD(o + BLOCK * p + 4) : ALL(0);                                             \
    }                                                                                                 \
    for (; blocks; blocks--, x += step - BLOCK) {                                                     \
      _Pragma("clang loop unroll(disable)")                                                           \
      for (const float *end = w + BLOCK * BLOCK; w != end; w += BLOCK, x++) {                         \
        V w0, w1;                                                                                     \
        LOAD_HERE(w0, w, 0);                                                                          \
        LOAD_HERE(w1, w, 16);                                                                         \
        PIXEL(0) PIXEL(1) PIXEL(2) PIXEL(3)                                                           \
      }                                                                                               \
    }                                                                                                 \
    for (int p = 0; p < n; p++) STORE(o + BLOCK * p, sum[p][0]), STORE(o + BLOCK * p + 4, sum[p][1]); \
  }
TILE(1) TILE(2) TILE(3) TILE(4)

// So many pixels, and blocks of channels on both sides; the blocks of x and of o are x_step and o_step floats apart.
// `add` adds to what o holds.
APART void gemm(int pixels, int blocks, const float *x, int x_step, const float *w, float *o, int o_step, int add) {
  int tiles = (pixels + 3) / 4, small = pixels / tiles, larger = pixels - small * tiles; // so many have small + 1
  for (int b = 0; b < blocks; b++, w += BLOCK * BLOCK * blocks, o += o_step) {
    const float *from = x;
    float *to = o;
    for (int i = 0; i < tiles; i++) {
      int n = small + (i < larger);
      switch (n) {
        case 4: tile4(from, x_step, w, blocks, to, add); break;
        case 3: tile3(from, x_step, w, blocks, to, add); break;
        case 2: tile2(from, x_step, w, blocks, to, add); break;
        default: tile1(from, x_step, w, blocks, to, add);
      }
      from += BLOCK * n, to += BLOCK * n;
    }
  }
}
