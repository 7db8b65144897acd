// What every file of the encoder speaks: fixed-width types, limits, unaligned
// loads, and a check that stops the program instead of writing elsewhere.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

// CHECK holds in every build. A picture that breaks it ends in a trap, which
// the caller sees as an exception.
#define CHECK(condition)                          \
  do {                                            \
    if (__builtin_expect(!(condition), 0)) __builtin_trap(); \
  } while (0)

enum {
  MAX_EDGE = 16383,
  MAX_PIXELS = 100 * 1000 * 1000,
  MAX_STRIDE = MAX_EDGE * 4 + 1, // a filtered row: the filter's number, then its bytes

  WINDOW = 32768,         // how far back deflate may look
  MAX_BLOCK = 448 * 1024, // filtered bytes in a deflate block, whole rows
  MIN_BLOCK = 16 * 1024,  // no block but a picture's last one is smaller

  // SIMD loads and stores may touch so many bytes behind the end of a buffer.
  GUARD = 64,
};

INLINE u32 min32(u32 a, u32 b) { return a < b ? a : b; }
INLINE u32 max32(u32 a, u32 b) { return a > b ? a : b; }

INLINE u32 load32(const u8 *p) {
  u32 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

INLINE u64 load64(const u8 *p) {
  u64 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

INLINE void store64(u8 *p, u64 v) { __builtin_memcpy(p, &v, sizeof v); }

// sum_lanes is the sum of the four lanes of v.
INLINE u32 sum_lanes(v128_t v) {
  return wasm_u32x4_extract_lane(v, 0) + wasm_u32x4_extract_lane(v, 1) + wasm_u32x4_extract_lane(v, 2) +
         wasm_u32x4_extract_lane(v, 3);
}

// widen_add is what is in sums plus the 16 bytes of v, four to a lane.
INLINE v128_t widen_add(v128_t sums, v128_t v) {
  return wasm_i32x4_add(sums, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(v)));
}
