// The denoiser of core/model.py, for one 28x28 image at a time, as WebAssembly. Built by assets/build_wasm.py.
//
// It is called so: `dilations` is filled in, `create` makes room, every weight is written where `place` says (the
// weights of block i's convolution to RAW, then `pack(i)`), the image and the projected time embedding, too, and
// `forward` answers. Activations are channels last, in blocks of 8; channels that only fill a block stay zero.
#include "conv.h"

#define EXPORT(name) __attribute__((export_name(#name)))
enum { MOST_BLOCKS = 32, MOST_WIDTH = 1024 };
enum Place { DILATIONS, IMAGE_IN, IMAGE_OUT, TIME, IN_WEIGHT, IN_BIAS, OUT_WEIGHT, OUT_BIAS, RAW, BIAS, GAIN, SHIFT, X, O };

typedef struct {
  Way way;
  float *weights, *bias, *gain, *shift;
} Residual;

static int width, group, blocks, depth, dilations[MOST_BLOCKS]; // `group` channels share a mean; `blocks` of 8 channels
static Residual residual[MOST_BLOCKS];
static float image_in[PIXELS_OF_IMAGE], image_out[PIXELS_OF_IMAGE], out_bias;
static float *time, *in_weight, *in_bias, *out_weight, *raw, *x, *o, *a, *b;

// ---- memory: everything lies one behind the other, and is given back with the whole module

void *memset(void *to, int byte, unsigned long n) {
  for (char *p = to; n--;) *p++ = byte;
  return to;
}
void *memcpy(void *to, const void *from, unsigned long n) {
  const char *q = from;
  for (char *p = to; n--;) *p++ = *q++;
  return to;
}

extern char __heap_base;
static unsigned long long used;

static void *room(unsigned long long numbers) { // of 4 bytes, all zero; once refused, `used` is past the memory
  unsigned long long start = used, page = 65536, there = page * __builtin_wasm_memory_size(0);
  used = (used + 4 * numbers + 63) / 64 * 64;
  if (used >= 1ull << 32) return 0;
  if (used > there && __builtin_wasm_memory_grow(0, (used - there + page - 1) / page) == (unsigned long)-1) {
    used = 1ull << 32;
    return 0;
  }
  return (void *)(unsigned long)start;
}

// Make room for a network; 0 where the browser refuses the memory.
EXPORT(create) int create(int width_, int groups, int depth_) {
  width = width_, group = width / groups, blocks = (width + BLOCK - 1) / BLOCK, depth = depth_;
  int channels = BLOCK * blocks, most = PIXELS_OF_IMAGE;
  used = ((unsigned long)&__heap_base + 63) / 64 * 64;
  time = room(channels), in_weight = room(49 * channels), in_bias = room(channels), out_weight = room(9 * channels);
  raw = room(9ull * width * width), x = room(IMAGE * blocks), o = room(IMAGE * blocks);
  for (int i = 0; i < depth; i++) {
    Way way = choose_way(dilations[i]);
    if (way.m) {
      int *reads = room(way.tiles * (way.m + 2) * (way.m + 2)), *writes = room(way.tiles * way.m * way.m);
      if (!writes) return 0;
      list_pixels(way, reads, writes);
      way.reads = reads, way.writes = writes;
      if (most < way.tiles * matrices_of(way)) most = way.tiles * matrices_of(way);
    }
    residual[i] = (Residual){
      way, room((unsigned long long)matrices_of(way) * channels * channels), room(channels), room(channels), room(channels)};
  }
  a = room(most * channels), b = room(most * channels);
  return b != 0;
}

EXPORT(place) void *place(enum Place what, int i) {
  switch (what) {
    case DILATIONS: return dilations;
    case IMAGE_IN: return image_in;
    case IMAGE_OUT: return image_out;
    case TIME: return time;            // [channel]
    case IN_WEIGHT: return in_weight;  // [row * 7 + column][channel]
    case IN_BIAS: return in_bias;      // [channel]
    case OUT_WEIGHT: return out_weight; // [row * 3 + column][channel]
    case OUT_BIAS: return &out_bias;
    case RAW: return raw;              // [output][input][row][column]
    case BIAS: return residual[i].bias;
    case GAIN: return residual[i].gain;
    case SHIFT: return residual[i].shift;
    case X: return x;
    case O: return o;
  }
  return 0;
}

EXPORT(pack) void pack(int i) { pack_weights(residual[i].way, width, blocks, raw, residual[i].weights); }

// ---- the layers

// image_in -> x: a 7x7 convolution of the image, plus the time embedding of the first block.
EXPORT(first) void first(void) {
  enum { WIDE = SIZE + 6 };
  static float padded[WIDE * WIDE];
  for (int i = 0; i < PIXELS_OF_IMAGE; i++) padded[(i / SIZE + 3) * WIDE + i % SIZE + 3] = image_in[i];
  for (int block = 0; block < blocks; block++) {
    const float *weight = in_weight + block * BLOCK;
    for (int pixel = 0; pixel < PIXELS_OF_IMAGE; pixel += 4) {
      V sum[4][2];
      for (int half = 0; half < 2; half++) {
        int at = block * BLOCK + 4 * half;
        for (int p = 0; p < 4; p++) sum[p][half] = ADD(LOAD(in_bias + at), LOAD(time + at));
      }
      for (int tap = 0; tap < 49; tap++) {
        const float *w = weight + tap * BLOCK * blocks;
        const float *y = padded + (pixel / SIZE + tap / 7) * WIDE + pixel % SIZE + tap % 7;
        V w0 = LOAD(w), w1 = LOAD(w + 4);
        for (int p = 0; p < 4; p++) {
          V s = LOAD_ALL(y + p);
          sum[p][0] = FMA(s, w0, sum[p][0]), sum[p][1] = FMA(s, w1, sum[p][1]);
        }
      }
      float *to = x + block * IMAGE + pixel * BLOCK;
      for (int p = 0; p < 4; p++) STORE(to + BLOCK * p, sum[p][0]), STORE(to + BLOCK * p + 4, sum[p][1]);
    }
  }
}

// x -> o: x plus the dilated convolution of x, of block i.
EXPORT(conv) void conv(int i) {
  Residual r = residual[i];
  switch (r.way.m) {
    case 2: winograd2(r.way, blocks, x, r.weights, r.bias, a, b, o); break;
    case 3: winograd3(r.way, blocks, x, r.weights, r.bias, a, b, o); break;
    case 4: winograd4(r.way, blocks, x, r.weights, r.bias, a, b, o); break;
    default: tap_by_tap(r.way.dilation, blocks, x, r.weights, r.bias, a, b, o);
  }
}

// The sums over all pixels of (o - mean)^power for every channel; power 1 or 2. Row by row, which rounds less.
INLINE void sums(int power, const float *mean, float *sum) {
  for (int channel = 0; channel < BLOCK * blocks; channel += 4) {
    V middle = LOAD(mean + channel), total = ALL(0);
    for (int row = 0; row < SIZE; row++) {
      const float *y = o + (channel / BLOCK) * IMAGE + row * SIZE * BLOCK + channel % BLOCK;
      V part[4] = {ALL(0), ALL(0), ALL(0), ALL(0)}; // four chains of sums that do not wait for each other
      for (int p = 0; p < SIZE; p += 4)
        for (int k = 0; k < 4; k++) {
          V e = SUB(LOAD(y + (p + k) * BLOCK), middle);
          part[k] = power == 1 ? ADD(part[k], e) : FMA(e, e, part[k]);
        }
      total = ADD(total, ADD(ADD(part[0], part[1]), ADD(part[2], part[3])));
    }
    STORE(sum + channel, total);
  }
}

// Give every channel the average of its group's sums: that of all pixels of all its channels.
static void average(float *sum) {
  for (int start = 0; start < width; start += group) {
    double total = 0;
    for (int c = start; c < start + group; c++) total += sum[c];
    for (int c = start; c < start + group; c++) sum[c] = total / (group * PIXELS_OF_IMAGE);
  }
}

// o -> x: GroupNorm and SiLU of block i, plus the time embedding of the block that follows, if any does.
EXPORT(norm) void norm(int i) {
  static float mean[MOST_WIDTH], variance[MOST_WIDTH], none[MOST_WIDTH];
  const float *next = i == depth - 1 ? none : time;
  sums(1, none, mean), average(mean);
  sums(2, mean, variance), average(variance);
  for (int channel = 0; channel < BLOCK * blocks; channel += 4) {
    V deviation = wasm_f32x4_sqrt(ADD(LOAD(variance + channel), ALL(1e-5f)));
    V scale = DIV(LOAD(residual[i].gain + channel), deviation);
    V shift = SUB(LOAD(residual[i].shift + channel), MUL(LOAD(mean + channel), scale));
    V later = LOAD(next + channel), one = ALL(1);
    int at = (channel / BLOCK) * IMAGE + channel % BLOCK;
    for (int p = 0; p < PIXELS_OF_IMAGE * BLOCK; p += BLOCK) {
      V y = FMA(LOAD(o + at + p), scale, shift);
      STORE(x + at + p, ADD(DIV(y, ADD(one, exp_of(wasm_f32x4_neg(y)))), later));
    }
  }
}

// x -> image_out: a 3x3 convolution to one channel.
EXPORT(last) void last(void) {
  for (int pixel = 0; pixel < PIXELS_OF_IMAGE; pixel++) {
    V even = ALL(0), odd = ALL(0);
    for (int tap = 0; tap < 9; tap++) {
      const float *y = x + pixel_at(pixel / SIZE + tap / 3 - 1, pixel % SIZE + tap % 3 - 1);
      const float *w = out_weight + tap * BLOCK * blocks;
      for (int block = 0; block < blocks; block++, y += IMAGE, w += BLOCK)
        even = FMA(LOAD(y), LOAD(w), even), odd = FMA(LOAD(y + 4), LOAD(w + 4), odd);
    }
    image_out[pixel] = sum_of(ADD(even, odd)) + out_bias;
  }
}

EXPORT(forward) void forward(void) {
  first();
  for (int i = 0; i < depth; i++) conv(i), norm(i);
  last();
}
