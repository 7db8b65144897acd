#include "filter.h"

// Filters work on the four bytes of the input's pixels, whatever their order:
// the difference of two pixels can be put into the PNG's order as well as a
// pixel can. So a row is read once and written once.

// pack4 puts the bytes of 16 pixels in order.
INLINE v128_t order(v128_t v, layout l) {
  if (l.bytes_per_pixel == 3)
    return l.swap ? wasm_i8x16_shuffle(v, v, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 7, 11, 15)
                  : wasm_i8x16_shuffle(v, v, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
  return l.swap ? wasm_i8x16_shuffle(v, v, 2, 1, 0, 3, 6, 5, 4, 7, 10, 9, 8, 11, 14, 13, 12, 15) : v;
}

// store16 writes 16 pixels, four in each of v.
INLINE void store16(u8 *out, const v128_t *v, layout l) {
  v128_t a = order(v[0], l), b = order(v[1], l), c = order(v[2], l), d = order(v[3], l);
  if (l.bytes_per_pixel == 3) {
    wasm_v128_store(out, wasm_i8x16_shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19));
    wasm_v128_store(out + 16, wasm_i8x16_shuffle(b, c, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23));
    wasm_v128_store(out + 32, wasm_i8x16_shuffle(c, d, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
    return;
  }
  wasm_v128_store(out, a);
  wasm_v128_store(out + 16, b);
  wasm_v128_store(out + 32, c);
  wasm_v128_store(out + 48, d);
}

INLINE v128_t difference(v128_t a, v128_t b) { return wasm_v128_or(wasm_u8x16_sub_sat(a, b), wasm_u8x16_sub_sat(b, a)); }

// floor_average is (a + b) / 2, rounded down; SIMD has the one that rounds up.
INLINE v128_t floor_average(v128_t a, v128_t b) {
  v128_t odd = wasm_v128_and(wasm_v128_xor(a, b), wasm_i8x16_const_splat(1));
  return wasm_i8x16_sub(wasm_u8x16_avgr(a, b), odd);
}

// paeth is the one of left, up and corner that is nearest to left + up - corner.
INLINE v128_t paeth(v128_t left, v128_t up, v128_t corner) {
  v128_t to_left = difference(up, corner), to_up = difference(left, corner);
  // The distance to corner is the sum of both where they point the same way.
  v128_t other_ways = wasm_v128_xor(wasm_u8x16_ge(left, corner), wasm_u8x16_ge(up, corner));
  v128_t to_corner = wasm_v128_bitselect(difference(to_left, to_up), wasm_u8x16_add_sat(to_left, to_up), other_ways);
  v128_t up_or_corner = wasm_v128_bitselect(up, corner, wasm_u8x16_le(to_up, to_corner));
  return wasm_v128_bitselect(left, up_or_corner, wasm_u8x16_le(to_left, wasm_u8x16_min(to_up, to_corner)));
}

// before is the four pixels that begin one pixel before those of v.
INLINE v128_t before(v128_t previous, v128_t v) {
  return wasm_i8x16_shuffle(previous, v, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
}

INLINE void filter_pixels(u8 *out, const u8 *row, const u8 *above, u32 width, layout l, filter f) {
  const v128_t zero = wasm_i32x4_const_splat(0);
  *out++ = (u8)f;
  v128_t last = zero, last_up = zero;
  for (u32 x = 0; x < width; x += 16, row += 64, out += 16 * l.bytes_per_pixel) {
    v128_t v[4];
    for (u32 i = 0; i < 4; i++) {
      v128_t here = wasm_v128_load(row + 16 * i), left = before(last, here);
      v128_t up = above ? wasm_v128_load(above + 16 * i) : zero, corner = before(last_up, up);
      v128_t guess = f == FILTER_NONE      ? zero
                     : f == FILTER_SUB     ? left
                     : f == FILTER_UP      ? up
                     : f == FILTER_AVERAGE ? floor_average(left, up)
                                           : paeth(left, up, corner);
      v[i] = wasm_i8x16_sub(here, guess);
      last = here;
      last_up = up;
    }
    if (above) above += 64;
    store16(out, v, l);
  }
}

INLINE void filter_layout(u8 *out, const u8 *row, const u8 *above, u32 width, layout l, filter f) {
  switch (f) {
    case FILTER_NONE: return filter_pixels(out, row, above, width, l, FILTER_NONE);
    case FILTER_SUB: return filter_pixels(out, row, above, width, l, FILTER_SUB);
    case FILTER_UP: return filter_pixels(out, row, above, width, l, FILTER_UP);
    case FILTER_AVERAGE: return filter_pixels(out, row, above, width, l, FILTER_AVERAGE);
    case FILTER_PAETH: return filter_pixels(out, row, above, width, l, FILTER_PAETH);
  }
}

void filter_row(u8 *out, const u8 *row, const u8 *above, u32 width, layout l, filter f) {
  if (l.bytes_per_pixel == 3)
    l.swap ? filter_layout(out, row, above, width, (layout){3, true}, f) : filter_layout(out, row, above, width, (layout){3, false}, f);
  else
    l.swap ? filter_layout(out, row, above, width, (layout){4, true}, f) : filter_layout(out, row, above, width, (layout){4, false}, f);
}

bool same_rows(const u8 *a, const u8 *b, u32 width) {
  u32 size = width * 4, i = 0;
  for (; i + 64 <= size; i += 64) {
    v128_t other = wasm_v128_xor(wasm_v128_load(a + i), wasm_v128_load(b + i));
    for (u32 j = 16; j < 64; j += 16) other = wasm_v128_or(other, wasm_v128_xor(wasm_v128_load(a + i + j), wasm_v128_load(b + i + j)));
    if (wasm_v128_any_true(other)) return false;
  }
  for (; i < size; i += 4)
    if (load32(a + i) != load32(b + i)) return false;
  return true;
}
