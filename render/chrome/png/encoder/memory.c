#include "memory.h"

#include "deflate.h"

extern u8 __heap_base; // the linker's: where the program's own memory ends

static picture current;

const picture *picture_of(void) { return &current; }

enum {
  // Signature 8, IHDR 25, pHYs 21, PLTE 780, tRNS 268, IDAT 12 and the zlib
  // frame's 6 in it, IEND 12, and the 8 bytes that a flush writes ahead: 1140.
  CONTAINER = 1280,
};

// capacity_of is more than any PNG of the size takes. Filtered rows are at
// most 4 * width + 1 bytes, and no block is longer than its bytes stored: 6
// more for each begun 65535 of them. Blocks are of MIN_BLOCK bytes or more,
// all but the last.
static u64 capacity_of(u32 width, u32 height) {
  u64 raw = (u64)height * (4 * width + 1);
  return raw + (raw / MIN_BLOCK + 2) * STORED_OVERHEAD + CONTAINER;
}

static u64 align(u64 at) { return (at + 63) & ~63ull; }

static bool grow_to(u64 end) {
  const u64 page = 65536;
  u64 have = __builtin_wasm_memory_size(0);
  if (end <= have * page) return true;
  u64 want = (end + page - 1) / page;
  if (want > 65536) return false;
  return __builtin_wasm_memory_grow(0, (size_t)(want - have)) != (size_t)-1;
}

// reserve makes room for a picture and returns where its pixels go, or 0.
EXPORT(reserve) u8 *reserve(u32 width, u32 height) {
  current = (picture){0};
  if (width == 0 || height == 0 || width > MAX_EDGE || height > MAX_EDGE || width * height > MAX_PIXELS) return 0;
  u64 input = align((uintptr_t)&__heap_base);
  u64 output = align(input + (u64)width * height * 4 + GUARD);
  u64 capacity = capacity_of(width, height);
  if (!grow_to(output + capacity + GUARD)) return 0;
  current = (picture){width, height, (u8 *)(uintptr_t)input, (u8 *)(uintptr_t)output, (u32)capacity};
  return current.input;
}

// output is where the last PNG is, 0 without a picture.
EXPORT(output) u8 *output(void) { return current.output; }
