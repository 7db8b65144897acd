#include "quantise.h"

#include "colours.h"
#include "palette.h"

// Colours are points in a space of four axes, the channels times alpha and
// alpha, stretched by how much the eye minds a difference there. Points are
// divided into boxes, always where it takes most off the sum of squared
// distances to the boxes' means; then each point goes to the nearest mean.

enum {
  AXES = 4,
  CUTS = 64,  // places that are tried along an axis
  ROUNDS = 1, // of going to the nearest mean
  OUTSIDE = 16383,
};

// By axis; which of red and blue is first in a pixel makes no great difference.
static const double stretch[AXES] = {4, 6, 4, 6};

typedef struct {
  int16_t at[AXES];
} point;

typedef struct {
  u32 from, to; // in order
  u32 axis, cut;
  int16_t low, high; // on that axis
  double gain;
} box;

static point points[MAX_COLOURS];
static u16 order[MAX_COLOURS];
static box boxes[MAX_PALETTE];

static point point_of(const tally *t) {
  point p;
  for (u32 a = 0; a < AXES; a++) {
    double mean = (double)t->sums[a] / t->pixels;
    if (a < 3) mean /= 255;
    p.at[a] = (int16_t)(mean * stretch[a] + 0.5);
  }
  return p;
}

// A spread is the pixels of some points along one axis.
typedef struct {
  double pixels, sum, squares;
  int16_t low, high;
} spread;

static spread spread_of(const box *b, u32 axis) {
  spread s = {.low = INT16_MAX, .high = INT16_MIN};
  for (u32 i = b->from; i < b->to; i++) {
    int16_t v = points[order[i]].at[axis];
    double n = colours_tally(order[i])->pixels;
    s.pixels += n;
    s.sum += n * v;
    s.squares += n * v * v;
    if (v < s.low) s.low = v;
    if (v > s.high) s.high = v;
  }
  return s;
}

INLINE u32 cut_of(const box *b, u32 number) {
  return (u32)(points[number].at[b->axis] - b->low) * (CUTS - 1) / (u32)(b->high - b->low);
}

// find_cut finds where to cut b along its axis, and what that gains.
static void find_cut(box *b, const spread *s) {
  double pixels[CUTS] = {0}, sums[CUTS] = {0}, left = 0, left_sum = 0;
  for (u32 i = b->from; i < b->to; i++) {
    u32 cut = cut_of(b, order[i]);
    double n = colours_tally(order[i])->pixels;
    pixels[cut] += n;
    sums[cut] += n * points[order[i]].at[b->axis];
  }
  b->gain = 0;
  for (u32 cut = 0; cut < CUTS - 1; cut++) {
    left += pixels[cut];
    left_sum += sums[cut];
    double right = s->pixels - left, right_sum = s->sum - left_sum;
    double gain = left_sum * left_sum / left + right_sum * right_sum / right - s->sum * s->sum / s->pixels;
    if (gain > b->gain) b->gain = gain, b->cut = cut;
  }
}

static void measure(box *b) {
  double widest = 0;
  spread on = {0};
  b->gain = 0;
  for (u32 a = 0; a < AXES; a++) {
    spread s = spread_of(b, a);
    double error = s.squares - s.sum * s.sum / s.pixels;
    if (s.low == s.high || error <= widest) continue;
    widest = error;
    on = s;
    b->axis = a;
    b->low = s.low;
    b->high = s.high;
  }
  if (widest > 0) find_cut(b, &on);
}

// divide moves what is beyond the cut of b into beyond.
static void divide(box *b, box *beyond) {
  u32 i = b->from, j = b->to;
  while (i < j) {
    if (cut_of(b, order[i]) <= b->cut) {
      i++;
    } else {
      u16 last = order[--j];
      order[j] = order[i];
      order[i] = last;
    }
  }
  *beyond = (box){.from = i, .to = b->to};
  b->to = i;
  measure(b);
  measure(beyond);
}

static u32 make_boxes(u32 numbers, u32 most) {
  u32 count = 1;
  boxes[0] = (box){.from = 0, .to = numbers};
  measure(&boxes[0]);
  for (; count < most; count++) {
    box *widest = &boxes[0];
    for (u32 i = 1; i < count; i++)
      if (boxes[i].gain > widest->gain) widest = &boxes[i];
    if (widest->gain <= 0) break;
    divide(widest, &boxes[count]);
  }
  return count;
}

// The means of the boxes, two axes in each: four means in a vector.
static int16_t means_low[MAX_PALETTE][2], means_high[MAX_PALETTE][2];

static void set_mean(u32 i, point p) {
  means_low[i][0] = p.at[0];
  means_low[i][1] = p.at[1];
  means_high[i][0] = p.at[2];
  means_high[i][1] = p.at[3];
}

static u32 nearest(point p, u32 count) {
  v128_t low = wasm_i32x4_splat((u16)p.at[0] | (u16)p.at[1] << 16), high = wasm_i32x4_splat((u16)p.at[2] | (u16)p.at[3] << 16);
  v128_t best = wasm_i32x4_const_splat(INT32_MAX), where = wasm_i32x4_const_splat(0), at = wasm_i32x4_const(0, 1, 2, 3);
  for (u32 i = 0; i < count; i += 4, at = wasm_i32x4_add(at, wasm_i32x4_const_splat(4))) {
    v128_t l = wasm_i16x8_sub(wasm_v128_load(means_low[i]), low), h = wasm_i16x8_sub(wasm_v128_load(means_high[i]), high);
    v128_t distance = wasm_i32x4_add(wasm_i32x4_dot_i16x8(l, l), wasm_i32x4_dot_i16x8(h, h));
    v128_t nearer = wasm_i32x4_lt(distance, best);
    best = wasm_i32x4_min(best, distance);
    where = wasm_v128_bitselect(at, where, nearer);
  }
  int32_t distances[4], places[4];
  wasm_v128_store(distances, best);
  wasm_v128_store(places, where);
  u32 lane = 0;
  for (u32 i = 1; i < 4; i++)
    if (distances[i] < distances[lane]) lane = i;
  return (u32)places[lane];
}

static u32 colour_of(const tally *t) {
  u64 weight = t->sums[3];
  if (weight == 0) return 0;
  u32 colour = (u32)((weight + t->pixels / 2) / t->pixels) << 24;
  for (u32 c = 0; c < 3; c++) colour |= (u32)((t->sums[c] + weight / 2) / weight) << 8 * c;
  return colour;
}

// gather sums up the points that chose each of count, and leaves out those that
// nobody chose. It returns how many there are then.
static u32 gather(tally *sums, u32 count, u8 *choice, u32 numbers) {
  u8 moved[MAX_PALETTE];
  u32 kept = 0;
  __builtin_memset(sums, 0, count * sizeof *sums);
  for (u32 i = 0; i < numbers; i++) tally_add(&sums[choice[i]], colours_tally(i));
  for (u32 i = 0; i < count; i++) {
    if (sums[i].pixels == 0) continue;
    moved[i] = (u8)kept;
    sums[kept++] = sums[i];
  }
  for (u32 i = 0; i < numbers; i++) choice[i] = moved[choice[i]];
  return kept;
}

u32 quantise(u32 numbers, u32 most, u32 *chosen, u8 *choice) {
  static tally sums[MAX_PALETTE];
  CHECK(numbers > 0 && numbers <= MAX_COLOURS && most > 0 && most <= MAX_PALETTE);
  for (u32 i = 0; i < numbers; i++) {
    points[i] = point_of(colours_tally(i));
    order[i] = (u16)i;
  }
  u32 count = make_boxes(numbers, most);
  for (u32 i = 0; i < count; i++)
    for (u32 j = boxes[i].from; j < boxes[i].to; j++) choice[order[j]] = (u8)i;
  count = gather(sums, count, choice, numbers);
  for (u32 round = 0; round < ROUNDS; round++) {
    const point outside = {{OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE}};
    for (u32 i = 0; i < MAX_PALETTE; i++) set_mean(i, i < count ? point_of(&sums[i]) : outside);
    for (u32 i = 0; i < numbers; i++) choice[i] = (u8)nearest(points[i], count);
    count = gather(sums, count, choice, numbers);
  }
  for (u32 i = 0; i < count; i++) chosen[i] = colour_of(&sums[i]);
  return count;
}
