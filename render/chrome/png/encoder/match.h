// Match finders: they fill a block with tokens.
#pragma once

#include "deflate.h"

// Positions count the filtered bytes of a picture. The first one is so high
// that 0, which empty tables hold, is outside of every window.
enum { FIRST_POSITION = 2 * WINDOW };

// A span is the bytes of a block, and where they are in the picture. What a
// match may refer to, up to WINDOW bytes, stands in front of them in memory.
typedef struct {
  const u8 *bytes;
  u32 size;
  u32 position;
  u32 stride;          // bytes of a row
  u32 bytes_per_pixel; // 1 for a palette of any depth
  bool filtered;       // or pixels as they are: where flat, one is like the next
} span;

// find_fast looks at few places: runs, the distance of the last match, those
// at which Chrome's dither repeats, and one place that a hash remembers.
void find_fast(block *b, const span *s);

// A memory is the places where bytes were seen before: the last one of three
// equal bytes, and the last one of four with, from each place, the one before.
enum { NEAR_BITS = 14, HEAD_BITS = 15 };

typedef struct {
  u32 near[1 << NEAR_BITS];
  u32 heads[1 << HEAD_BITS];
  u32 before[WINDOW];
} memory;

// find_small finds what takes the fewest bits, as far as it looks: at so many
// places of memory in a row, depth. It judges by the frequencies that b has, of
// a block like it.
void find_small(block *b, const span *s, memory *m, u32 depth);

// The resets forget all places of the picture before.
void find_fast_reset(void);
void memory_reset(memory *m);

// match_length is how many bytes at a and b are equal, up to most.
INLINE u32 match_length(const u8 *a, const u8 *b, u32 most) {
  u32 i = 0;
  for (; i + 16 <= most; i += 16) {
    u32 equal = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(a + i), wasm_v128_load(b + i)));
    if (equal != 0xFFFF) return i + (u32)__builtin_ctz(~equal);
  }
  while (i < most && a[i] == b[i]) i++;
  return i;
}
