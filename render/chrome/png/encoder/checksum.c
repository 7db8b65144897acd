#include "checksum.h"

enum { ADLER_MOD = 65521, ADLER_CHUNK = 5552 };

// Eight tables, so that eight bytes are taken at once.
static u32 crc_tables[8][256];

static void fill_crc_tables(void) {
  if (crc_tables[0][1] != 0) return;
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    crc_tables[0][i] = c;
  }
  for (u32 i = 0; i < 256; i++)
    for (int t = 1; t < 8; t++) {
      u32 before = crc_tables[t - 1][i];
      crc_tables[t][i] = (before >> 8) ^ crc_tables[0][before & 255];
    }
}

u32 crc32(const u8 *p, size_t size) {
  fill_crc_tables();
  u32 c = 0xFFFFFFFFu;
  for (; size >= 8; p += 8, size -= 8) {
    u64 v = load64(p) ^ c;
    c = crc_tables[7][v & 255] ^ crc_tables[6][(v >> 8) & 255] ^ crc_tables[5][(v >> 16) & 255] ^
        crc_tables[4][(v >> 24) & 255] ^ crc_tables[3][(v >> 32) & 255] ^ crc_tables[2][(v >> 40) & 255] ^
        crc_tables[1][(v >> 48) & 255] ^ crc_tables[0][v >> 56];
  }
  while (size--) c = (c >> 8) ^ crc_tables[0][(c ^ *p++) & 255];
  return ~c;
}

// adler_chunk takes up to ADLER_CHUNK bytes: so many leave both sums below 2^32.
static u32 adler_chunk(u32 sum, const u8 *p, u32 size) {
  u32 a = sum & 0xFFFF, b = sum >> 16;
  const v128_t high_weights = wasm_i16x8_const(16, 15, 14, 13, 12, 11, 10, 9);
  const v128_t low_weights = wasm_i16x8_const(8, 7, 6, 5, 4, 3, 2, 1);
  v128_t bytes = wasm_i32x4_const_splat(0), weighted = bytes, before = bytes;
  u32 whole = size & ~15u, i = 0;
  for (; i < whole; i += 16) {
    v128_t v = wasm_v128_load(p + i);
    before = wasm_i32x4_add(before, bytes);
    bytes = widen_add(bytes, v);
    weighted = wasm_i32x4_add(weighted, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(v), high_weights));
    weighted = wasm_i32x4_add(weighted, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(v), low_weights));
  }
  b += a * whole + sum_lanes(before) * 16 + sum_lanes(weighted);
  a += sum_lanes(bytes);
  for (; i < size; i++) {
    a += p[i];
    b += a;
  }
  return (b % ADLER_MOD) << 16 | a % ADLER_MOD;
}

u32 adler32(u32 sum, const u8 *p, size_t size) {
  for (; size > ADLER_CHUNK; p += ADLER_CHUNK, size -= ADLER_CHUNK) sum = adler_chunk(sum, p, ADLER_CHUNK);
  return adler_chunk(sum, p, size);
}

u32 adler32_zeros(u32 sum, size_t size) {
  u32 a = sum & 0xFFFF, b = sum >> 16;
  b = (b + (u64)a * size) % ADLER_MOD;
  return b << 16 | a;
}
