#include "rows.h"

#include "checksum.h"
#include "match.h"

// A strategy is how rows are filtered. Whatever it is, a row that is equal to
// the one above has the filter Up and zeros.
typedef enum { ALL_SUB, ALL_NONE, EACH_ITS_OWN, STRATEGIES } strategy;

// The block's filtered bytes, behind the WINDOW bytes before them.
static u8 window[WINDOW + MAX_BLOCK + GUARD];
static u8 *const bytes = window + WINDOW;
static token tokens[MAX_TOKENS];

enum {
  DEPTH = 16, // places of a memory that find_small tries
  TRIAL_DEPTH = 1,
  TRIED_EVERY = 2, // blocks
  LOYALTY = 8, // another strategy must be better by this part: rows in the window are then of no use
};

static u32 bytes_per_pixel(const rows *r) { return r->palette ? 1 : r->layout.bytes_per_pixel; }

static u32 stride_of(const rows *r) {
  return 1 + (r->palette ? palette_row_size(r->palette, r->source.width) : r->source.width * r->layout.bytes_per_pixel);
}

static const u8 *row_at(const rows *r, u32 y) { return r->source.pixels + (size_t)y * r->source.width * 4; }

// weight_of guesses what size filtered bytes come to: more for what is far from
// zero, but not for what is very far, and less for zeros.
static u32 weight_of(const u8 *row, u32 size) {
  v128_t sum = wasm_i32x4_const_splat(0);
  u32 i = 0, rest = 0;
  for (; i + 16 <= size; i += 16) {
    v128_t v = wasm_v128_load(row + i);
    v128_t far = wasm_u8x16_min(wasm_i8x16_abs(v), wasm_i8x16_const_splat(24));
    v128_t some = wasm_v128_and(wasm_i8x16_ne(v, wasm_i32x4_const_splat(0)), wasm_i8x16_const_splat(6));
    sum = widen_add(sum, wasm_i8x16_add(far, some));
  }
  for (; i < size; i++) {
    u32 far = min32(row[i], 256 - row[i]);
    rest += min32(far, 24) + (far ? 6 : 0);
  }
  return sum_lanes(sum) + rest;
}

// filter_best writes the row with the filter that weighs least.
static void filter_best(u8 *out, const u8 *row, const u8 *above, const rows *r, u32 stride) {
  static u8 trial[MAX_STRIDE + GUARD];
  static const filter filters[] = {FILTER_UP, FILTER_SUB, FILTER_AVERAGE, FILTER_PAETH};
  u32 least = ~0u;
  for (u32 i = 0; i < sizeof filters / sizeof *filters; i++) {
    filter_row(trial, row, above, r->source.width, r->layout, filters[i]);
    u32 weight = weight_of(trial + 1, stride - 1);
    if (weight >= least) continue;
    least = weight;
    __builtin_memcpy(out, trial, stride);
  }
}

// put_row writes row y and returns whether it is all zeros behind the filter.
static bool put_row(u8 *out, const rows *r, u32 y, u32 stride, strategy s) {
  if (r->palette) {
    palette_row(out, r->palette, &r->source, y);
    return false;
  }
  const u8 *row = row_at(r, y), *above = y ? row_at(r, y - 1) : 0;
  if (above && same_rows(row, above, r->source.width)) {
    *out = FILTER_UP;
    __builtin_memset(out + 1, 0, stride - 1);
    return true;
  }
  if (s == EACH_ITS_OWN)
    filter_best(out, row, above, r, stride);
  else
    filter_row(out, row, above, r->source.width, r->layout, s == ALL_SUB ? FILTER_SUB : FILTER_NONE);
  return false;
}

// put_rows writes rows from y up to end into bytes, and returns the checksum
// with them.
static u32 put_rows(const rows *r, u32 y, u32 end, strategy s, u32 sum) {
  u32 stride = stride_of(r);
  CHECK((end - y) * stride <= MAX_BLOCK);
  for (u8 *out = bytes; y < end; y++, out += stride) {
    if (put_row(out, r, y, stride, s))
      sum = adler32_zeros(adler32(sum, out, 1), stride - 1);
    else
      sum = adler32(sum, out, stride);
  }
  return sum;
}

// choose tries each strategy on a tenth of the rows, from the middle. If the
// best one is another than before, it leaves its frequencies in b.
static strategy choose(const rows *r, block *b, u32 y, u32 end, span s, strategy before) {
  static block trial;
  static memory places;
  static frequencies found[STRATEGIES];
  strategy best = ALL_SUB;
  u32 part = (end - y + 9) / 10, from = y + (end - y - part) / 2;
  u64 least = ~0ull;
  trial.tokens = tokens;
  s.size = part * s.stride;
  for (strategy t = 0; t < STRATEGIES; t++) {
    s.filtered = t != ALL_NONE;
    put_rows(r, from, from + part, t, ADLER_START);
    block_start(&trial, bytes, s.size);
    trial.frequencies = b->frequencies;
    memory_reset(&places);
    find_small(&trial, &s, &places, TRIAL_DEPTH);
    found[t] = trial.frequencies;
    u64 bits = block_bits(&trial);
    if (t != before && before != STRATEGIES) bits += bits / LOYALTY;
    if (bits >= least) continue;
    least = bits;
    best = t;
  }
  if (best != before) b->frequencies = found[best];
  return best;
}

// rows_per_block divides the rows into blocks of about the same size.
static u32 rows_per_block(u32 height, u32 stride) {
  u32 most = MAX_BLOCK / stride;
  u32 blocks = (height + most - 1) / most;
  return (height + blocks - 1) / blocks;
}

// put_checksum ends the zlib stream.
static void put_checksum(stream *out, u32 sum) {
  u32 big_endian = __builtin_bswap32(sum);
  stream_align(out);
  CHECK(out->limit - out->at >= (ptrdiff_t)sizeof big_endian);
  __builtin_memcpy(out->at, &big_endian, sizeof big_endian);
  out->at += sizeof big_endian;
}

void rows_put(stream *out, const rows *r, bool small) {
  static block b;
  static memory places;
  u32 stride = stride_of(r), height = r->source.height, step = rows_per_block(height, stride), sum = ADLER_START;
  span s = {.bytes = bytes, .position = FIRST_POSITION, .stride = stride, .bytes_per_pixel = bytes_per_pixel(r)};
  strategy chosen = ALL_SUB;
  symbols_fill();
  b.tokens = tokens;
  b.frequencies = (frequencies){0};
  find_fast_reset();
  memory_reset(&places);
  for (u32 y = 0, end; y < height; y = end) {
    end = min32(y + step, height);
    s.size = (end - y) * stride;
    if (small && !r->palette && y / step % TRIED_EVERY == 0) chosen = choose(r, &b, y, end, s, y ? chosen : STRATEGIES);
    s.filtered = !r->palette && chosen != ALL_NONE;
    sum = put_rows(r, y, end, chosen, sum);
    if (small) {
      find_small(&b, &s, &places, DEPTH);
    } else {
      block_start(&b, bytes, s.size);
      find_fast(&b, &s);
    }
    block_write(out, &b, end == height);
    __builtin_memmove(window, window + s.size, WINDOW);
    s.position += s.size;
  }
  put_checksum(out, sum);
}
