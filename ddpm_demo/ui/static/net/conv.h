// A dilated 3x3 convolution of a 28x28 image, in one of two ways, whichever takes fewer multiplications.
//
// By Winograd's minimal filtering (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"): a dilation
// of d splits the image into d x d interleaved grids, each with a plain 3x3 convolution, and F(m, 3) takes (m + 2)^2
// multiplications for m x m pixels instead of 9 m^2. Or tap by tap, of which at a large dilation most lie outside.
#pragma once
#include "gemm.h"

enum { SIZE = 28, PIXELS_OF_IMAGE = SIZE * SIZE };
enum { OUTSIDE = PIXELS_OF_IMAGE };             // a pixel more in each block of channels: zero to read, and never read
enum { IMAGE = (PIXELS_OF_IMAGE + 1) * BLOCK }; // floats of a block of channels of an image

// How a convolution is computed: `m` of F(m, 3), or 0 for tap by tap. Tile i reads the pixels reads[i][0 .. (m+2)^2]
// and writes writes[i][0 .. m^2], as floats from the start of a block of channels.
typedef struct {
  int dilation, m, tiles;
  const int *reads, *writes;
} Way;

// ---- F(m, 3): input transform B^T, output transform A^T, weight transform G

INLINE void to_frequencies(int m, const V *d, V *r) { // B^T: m + 2 numbers to m + 2
  V two = ALL(2);
  if (m == 2) { // points 0 1 -1 infinity
    r[0] = SUB(d[0], d[2]), r[1] = ADD(d[1], d[2]), r[2] = SUB(d[2], d[1]), r[3] = SUB(d[1], d[3]);
  } else if (m == 3) { // points 0 1 -1 2 infinity
    V a = SUB(d[3], d[1]);
    r[0] = FMA(two, SUB(d[0], d[2]), a);
    r[1] = SUB(SUB(d[3], d[2]), MUL(two, d[1]));
    r[2] = FMA(two, d[1], FMA(ALL(-3), d[2], d[3]));
    r[3] = a;
    r[4] = FMA(ALL(-2), a, SUB(d[4], d[2]));
  } else { // points 0 1 -1 2 -2 infinity
    V four = ALL(4), minus_four = ALL(-4), minus_five = ALL(-5);
    V a = FMA(minus_four, d[2], d[4]), b = FMA(minus_four, d[1], d[3]);
    V c = SUB(d[4], d[2]), e = MUL(two, SUB(d[3], d[1]));
    r[0] = FMA(four, d[0], FMA(minus_five, d[2], d[4]));
    r[1] = ADD(a, b), r[2] = SUB(a, b), r[3] = ADD(c, e), r[4] = SUB(c, e);
    r[5] = FMA(four, d[1], FMA(minus_five, d[3], d[5]));
  }
}

INLINE void from_frequencies(int m, const V *d, V *r) { // A^T: m + 2 numbers to m
  V a = ADD(d[1], d[2]), b = SUB(d[1], d[2]);
  if (m == 2) {
    r[0] = ADD(d[0], a), r[1] = SUB(b, d[3]);
  } else if (m == 3) {
    r[0] = ADD(ADD(d[0], a), d[3]), r[1] = FMA(ALL(2), d[3], b), r[2] = ADD(FMA(ALL(4), d[3], a), d[4]);
  } else {
    V c = ADD(d[3], d[4]), e = SUB(d[3], d[4]);
    r[0] = ADD(ADD(d[0], a), c), r[1] = FMA(ALL(2), e, b);
    r[2] = FMA(ALL(4), c, a), r[3] = ADD(FMA(ALL(8), e, b), d[5]);
  }
}

static const double G2[4][3] = {{1, 0, 0}, {1. / 2, 1. / 2, 1. / 2}, {1. / 2, -1. / 2, 1. / 2}, {0, 0, 1}};
static const double G3[5][3] = {
  {1. / 2, 0, 0}, {-1. / 2, -1. / 2, -1. / 2}, {-1. / 6, 1. / 6, -1. / 6}, {1. / 6, 1. / 3, 2. / 3}, {0, 0, 1}};
static const double G4[6][3] = {
  {1. / 4, 0, 0}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
  {1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}};

// ---- choosing

static int starts_of(int dilation, int m, int *starts) { // where along an axis the tiles of F(m, 3) begin
  int n = 0;
  for (int first = 0; first < dilation && first < SIZE; first++)
    for (int at = first; at < SIZE; at += m * dilation) starts[n++] = at;
  return n;
}

static Way choose_way(int dilation) {
  int reach = dilation < SIZE ? SIZE - dilation : 0, starts[SIZE]; // pixels whose neighbour is inside, along an axis
  Way best = {dilation, 0, 0, 0, 0};
  int least = (SIZE + 2 * reach) * (SIZE + 2 * reach);
  for (int m = 2; m <= 4; m++) {
    int n = starts_of(dilation, m, starts), products = n * n * (m + 2) * (m + 2);
    if (products * 8 < least * 7) best.m = m, best.tiles = n * n, least = products; // the transforms take time, too
  }
  return best;
}

// The frequencies of F(m, 3), or the taps: so many matrices of weights.
static int matrices_of(Way way) { return way.m ? (way.m + 2) * (way.m + 2) : 9; }

static int pixel_at(int row, int column) { // in floats
  int inside = row >= 0 && row < SIZE && column >= 0 && column < SIZE;
  return BLOCK * (inside ? row * SIZE + column : OUTSIDE);
}

static void list_pixels(Way way, int *reads, int *writes) {
  int starts[SIZE], n = starts_of(way.dilation, way.m, starts), t = way.m + 2, d = way.dilation;
  for (int i = 0; i < n * n; i++)
    for (int r = 0; r < t; r++)
      for (int c = 0; c < t; c++) {
        int row = starts[i / n] + d * (r - 1), column = starts[i % n] + d * (c - 1);
        *reads++ = pixel_at(row, column);
        if (r && c && r <= way.m && c <= way.m) *writes++ = pixel_at(row, column);
      }
}

// Turn weights (outputs, inputs, 3, 3) into matrices [input][output] in blocks. The identity, which carries the
// residual block's own input, goes into the centre tap. Channels that only fill a block have weights of zero.
static void pack_weights(Way way, int width, int blocks, const float *raw, float *packed) {
  int t = way.m + 2, matrix = BLOCK * BLOCK * blocks * blocks;
  const double(*G)[3] = way.m == 2 ? G2 : way.m == 3 ? G3 : G4;
  for (int out = 0; out < width; out++)
    for (int in = 0; in < width; in++, raw += 9) {
      float *to = packed + (out / BLOCK) * BLOCK * BLOCK * blocks + in * BLOCK + out % BLOCK;
      double g[9];
      for (int k = 0; k < 9; k++) g[k] = raw[k] + (in == out && k == 4);
      if (!way.m)
        for (int k = 0; k < 9; k++) to[k * matrix] = g[k];
      else
        for (int f = 0; f < t * t; f++) {
          double sum = 0;
          for (int k = 0; k < 9; k++) sum += G[f / t][k / 3] * G[f % t][k % 3] * g[k];
          to[f * matrix] = sum;
        }
    }
}

// ---- computing: x and o are images, a and b room for what lies between, m + 2 squared matrices of all tiles

INLINE void winograd(int m, Way way, int blocks, const float *x, const float *w, const float *bias, float *a, float *b,
                     float *o) {
  const int t = m + 2, n = way.tiles, step = n * BLOCK * blocks; // floats of a frequency
  V from[36], mid[36], to[6];
  for (int block = 0; block < blocks; block++)
    for (int i = 0; i < n; i++)
      for (int half = 0; half < BLOCK; half += 4) {
        const float *image = x + block * IMAGE + half;
        for (int c = 0; c < t; c++) {
          for (int r = 0; r < t; r++) from[r] = LOAD(image + way.reads[i * t * t + r * t + c]);
          to_frequencies(m, from, to);
          for (int r = 0; r < t; r++) mid[r * t + c] = to[r];
        }
        for (int r = 0; r < t; r++) {
          to_frequencies(m, mid + r * t, to);
          for (int c = 0; c < t; c++) STORE(a + (r * t + c) * step + (block * n + i) * BLOCK + half, to[c]);
        }
      }
  for (int f = 0; f < t * t; f++)
    gemm(n, blocks, a + f * step, n * BLOCK, w + f * BLOCK * BLOCK * blocks * blocks, b + f * step, n * BLOCK, 0);
  for (int block = 0; block < blocks; block++)
    for (int i = 0; i < n; i++)
      for (int half = 0; half < BLOCK; half += 4) {
        float *image = o + block * IMAGE + half;
        V shift = LOAD(bias + block * BLOCK + half);
        for (int c = 0; c < t; c++) {
          for (int r = 0; r < t; r++) from[r] = LOAD(b + (r * t + c) * step + (block * n + i) * BLOCK + half);
          from_frequencies(m, from, to);
          for (int r = 0; r < m; r++) mid[r * t + c] = to[r];
        }
        for (int r = 0; r < m; r++) {
          from_frequencies(m, mid + r * t, to);
          for (int c = 0; c < m; c++) STORE(image + way.writes[i * m * m + r * m + c], ADD(to[c], shift));
        }
      }
}
APART void winograd2(Way way, int blocks, const float *x, const float *w, const float *bias, float *a, float *b, float *o) {
  winograd(2, way, blocks, x, w, bias, a, b, o);
}
APART void winograd3(Way way, int blocks, const float *x, const float *w, const float *bias, float *a, float *b, float *o) {
  winograd(3, way, blocks, x, w, bias, a, b, o);
}
APART void winograd4(Way way, int blocks, const float *x, const float *w, const float *bias, float *a, float *b, float *o) {
  winograd(4, way, blocks, x, w, bias, a, b, o);
}

APART void tap_by_tap(int d, int blocks, const float *x, const float *w, const float *bias, float *a, float *b, float *o) {
  for (int block = 0; block < blocks; block++)
    for (int i = 0; i < PIXELS_OF_IMAGE * BLOCK; i += 4)
      STORE(o + block * IMAGE + i, LOAD(bias + block * BLOCK + i % BLOCK));
  for (int tap = 0; tap < 9; tap++, w += BLOCK * BLOCK * blocks * blocks) {
    int down = (tap / 3 - 1) * d, right = (tap % 3 - 1) * d;
    int top = down < 0 ? -down : 0, rows = SIZE - (down < 0 ? -down : down);
    int left = right < 0 ? -right : 0, columns = SIZE - (right < 0 ? -right : right);
    if (rows <= 0 || columns <= 0) continue; // this tap sees nothing of the image
    float *to = o + (top * SIZE + left) * BLOCK;
    const float *from = x + ((top + down) * SIZE + left + right) * BLOCK;
    if (columns == SIZE) { // whole rows lie one behind the other
      gemm(rows * SIZE, blocks, from, IMAGE, w, to, IMAGE, 1);
      continue;
    }
    int run = columns * BLOCK, all = rows * run;
    for (int block = 0; block < blocks; block++)
      for (int row = 0; row < rows; row++)
        for (int i = 0; i < run; i += 4)
          STORE(a + block * all + row * run + i, LOAD(from + block * IMAGE + row * SIZE * BLOCK + i));
    gemm(rows * columns, blocks, a, all, w, b, all, 0);
    for (int block = 0; block < blocks; block++)
      for (int row = 0; row < rows; row++)
        for (int i = 0; i < run; i += 4) {
          float *sum = to + block * IMAGE + row * SIZE * BLOCK + i;
          STORE(sum, ADD(LOAD(sum), LOAD(b + block * all + row * run + i)));
        }
  }
}
