// The file: signature, chunks, and the stream of filtered rows in them.
#include "checksum.h"
#include "deflate.h"
#include "memory.h"
#include "rows.h"

typedef enum { MODE_FAST, MODE_SMALL, MODE_PALETTE, MODES } mode;

enum { FORMAT_SWAP = 1, FORMAT_OPAQUE = 2, FORMATS = 4 };

// What encode returns instead of a size.
enum { NO_PICTURE = -1, UNKNOWN_MODE = -2, UNKNOWN_FORMAT = -3, BAD_COLOURS = -4, BAD_DENSITY = -5 };

enum { RGB = 2, INDEXED = 3, RGBA = 6 }; // colour types

// A job is one picture on its way into a PNG.
typedef struct {
  const picture *picture;
  mode mode;
  u32 density;
  rows rows;
  stream out;
} job;

static bool is_opaque(const picture *p) {
  u32 pixels = p->width * p->height, i = 0, alpha;
  v128_t all = wasm_i32x4_const_splat(-1);
  for (; i + 4 <= pixels; i += 4) all = wasm_v128_and(all, wasm_v128_load(p->input + (size_t)i * 4));
  alpha = wasm_u32x4_extract_lane(all, 0) & wasm_u32x4_extract_lane(all, 1) & wasm_u32x4_extract_lane(all, 2) &
          wasm_u32x4_extract_lane(all, 3);
  for (; i < pixels; i++) alpha &= load32(p->input + (size_t)i * 4);
  return alpha >> 24 == 255;
}

static void put_bytes(stream *s, const void *bytes, u32 size) {
  CHECK(size <= (u32)(s->limit - s->at));
  __builtin_memcpy(s->at, bytes, size);
  s->at += size;
}

static void put_big_endian(stream *s, u32 v) {
  v = __builtin_bswap32(v);
  put_bytes(s, &v, 4);
}

// chunk_begin leaves 4 bytes for the size, which chunk_end knows.
static u8 *chunk_begin(stream *s, const char *name) {
  u8 *start = s->at;
  put_big_endian(s, 0);
  put_bytes(s, name, 4);
  return start;
}

static void chunk_end(stream *s, u8 *start) {
  u32 size = (u32)(s->at - start) - 8, big_endian = __builtin_bswap32(size);
  __builtin_memcpy(start, &big_endian, 4);
  put_big_endian(s, crc32(start + 4, size + 4));
}

static void put_header(job *j) {
  u8 *chunk = chunk_begin(&j->out, "IHDR");
  put_big_endian(&j->out, j->picture->width);
  put_big_endian(&j->out, j->picture->height);
  u8 type = j->rows.palette ? INDEXED : j->rows.layout.bytes_per_pixel == 3 ? RGB : RGBA;
  u8 rest[5] = {j->rows.palette ? (u8)j->rows.palette->depth : 8, type, 0, 0, 0};
  put_bytes(&j->out, rest, sizeof rest);
  chunk_end(&j->out, chunk);
}

static void put_density(job *j) {
  if (j->density == 0) return;
  u8 *chunk = chunk_begin(&j->out, "pHYs");
  put_big_endian(&j->out, j->density);
  put_big_endian(&j->out, j->density);
  put_bytes(&j->out, "\1", 1); // to the metre
  chunk_end(&j->out, chunk);
}

static void put_palette(job *j) {
  const palette *p = j->rows.palette;
  if (!p) return;
  u8 *chunk = chunk_begin(&j->out, "PLTE");
  for (u32 i = 0; i < p->count; i++) put_bytes(&j->out, p->entries[i], 3);
  chunk_end(&j->out, chunk);
  if (p->transparent == 0) return;
  chunk = chunk_begin(&j->out, "tRNS");
  for (u32 i = 0; i < p->transparent; i++) put_bytes(&j->out, &p->entries[i][3], 1);
  chunk_end(&j->out, chunk);
}

static int write_file(job *j) {
  static const u8 signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  u8 *start = j->out.at;
  put_bytes(&j->out, signature, sizeof signature);
  put_header(j);
  put_density(j);
  put_palette(j);
  u8 *data = chunk_begin(&j->out, "IDAT");
  put_bytes(&j->out, "\x78\x01", 2); // deflate, a window of 32 KB
  rows_put(&j->out, &j->rows, j->mode != MODE_FAST);
  chunk_end(&j->out, data);
  chunk_end(&j->out, chunk_begin(&j->out, "IEND"));
  return (int)(j->out.at - start);
}

// worthwhile is how many colours a palette may have to be shorter than what it
// saves.
static u32 worthwhile(const picture *p) { return min32(MAX_PALETTE, p->width * p->height / 8); }

// encode writes the picture as a PNG and returns its size, or why not.
EXPORT(encode) int encode(u32 mode, u32 format, u32 colours, u32 density) {
  static palette colour_palette;
  const picture *p = picture_of();
  if (p->width == 0) return NO_PICTURE;
  if (mode >= MODES) return UNKNOWN_MODE;
  if (format >= FORMATS) return UNKNOWN_FORMAT;
  if (mode == MODE_PALETTE && (colours < 2 || colours > MAX_PALETTE)) return BAD_COLOURS;
  if (density > INT32_MAX) return BAD_DENSITY;

  job j = {.picture = p, .mode = mode, .density = density, .out = {.at = p->output, .limit = p->output + p->capacity}};
  bool opaque = format & FORMAT_OPAQUE || is_opaque(p), swap = format & FORMAT_SWAP;
  colour_source source = {p->input, p->width, p->height, opaque};
  j.rows = (rows){.source = source, .layout = {opaque ? 3 : 4, swap}};
  bool indexed = palette_exact(&colour_palette, &source, mode == MODE_PALETTE ? colours : worthwhile(p), swap);
  if (!indexed && mode == MODE_PALETTE) {
    palette_near(&colour_palette, &source, colours, swap);
    indexed = true;
  }
  if (indexed) j.rows.palette = &colour_palette;
  return write_file(&j);
}
