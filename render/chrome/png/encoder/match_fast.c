#include "match.h"

enum {
  HASH_BITS = 14,
  SURE = 8,         // bytes that are compared before a place is taken
  MIN_NEAR = 6,     // a match below this costs more than its literals
  MIN_FAR = 8,      // the same from FAR on, where distances take more bits
  FAR = 300,
  PATIENCE = 5,     // 2^this misses in a row make the step one longer
  MAX_STEP = 24,
  DITHER = 8,       // Skia dithers by a pattern of 8x8 pixels
  TRIALS = 4000,    // after so many, the dither's distances must have been worth it:
  WORTH = 64,       // one hit in so many trials
  MAX_DISTANCES = 4,
};

static u32 places[1 << HASH_BITS];

void match_reset(void) { __builtin_memset(places, 0, sizeof places); }

INLINE u32 hash(u64 v) { return (u32)((v * 0x9E3779B185EBCA87ull) >> (64 - HASH_BITS)); }

// A finder is what find_fast knows while it goes through a span.
typedef struct {
  uintptr_t origin; // of position 0
  u32 end;
  u32 last_distance;
  u32 distances[MAX_DISTANCES], distance_count;
  u32 trials, hits;
} finder;

typedef struct {
  u32 at, length, distance;
} match;

INLINE const u8 *byte_at(const finder *f, u32 position) { return (const u8 *)(f->origin + position); }

// fill_distances lists where the dither repeats: 8 rows up, the same one or 8
// pixels beside it, and 8 pixels to the left.
static void fill_distances(finder *f, const span *s) {
  u32 rows = DITHER * s->stride, pixels = DITHER * s->bytes_per_pixel;
  if (s->indices) {
    if (s->stride <= WINDOW) f->distances[f->distance_count++] = s->stride;
  } else if (rows + pixels <= WINDOW) {
    if (rows > pixels) f->distances[f->distance_count++] = rows - pixels;
    f->distances[f->distance_count++] = rows;
    f->distances[f->distance_count++] = pixels;
    f->distances[f->distance_count++] = rows + pixels;
  } else {
    f->distances[f->distance_count++] = pixels;
  }
}

INLINE bool same_at(const finder *f, u32 at, u64 bytes, u32 distance) {
  return at - FIRST_POSITION >= distance && load64(byte_at(f, at - distance)) == bytes;
}

INLINE match match_at(const finder *f, u32 at, u32 distance) {
  return (match){at, match_length(byte_at(f, at), byte_at(f, at - distance), f->end - at), distance};
}

// find_run finds a run of one byte, which in filtered rows is zero.
INLINE match find_run(const finder *f, u32 at) {
  if (byte_at(f, at)[-1] != byte_at(f, at)[0]) at++;
  return match_at(f, at, 1);
}

INLINE bool find_distance(finder *f, u32 at, u64 bytes, match *m) {
  if (f->trials >= TRIALS && f->hits * WORTH <= f->trials) return false;
  f->trials++;
  for (u32 i = 0; i < f->distance_count; i++)
    if (same_at(f, at, bytes, f->distances[i])) {
      f->hits++;
      f->last_distance = f->distances[i];
      *m = match_at(f, at, f->distances[i]);
      return true;
    }
  return false;
}

// find_place asks the hash, and extends a match to the left as far as the
// literals go.
INLINE match find_place(finder *f, u32 at, u64 bytes, u32 literals_from) {
  u32 *slot = &places[hash(bytes)], place = *slot;
  *slot = at;
  u32 distance = at - place;
  if (distance - 1 >= WINDOW || load64(byte_at(f, place)) != bytes) return (match){at, 0, 0};
  u32 length = SURE + match_length(byte_at(f, at + SURE), byte_at(f, place + SURE), f->end - at - SURE);
  while (at > literals_from && place > FIRST_POSITION && byte_at(f, at)[-1] == byte_at(f, place)[-1]) at--, place--, length++;
  f->last_distance = distance;
  return (match){at, length, distance};
}

INLINE match find(finder *f, u32 at, u32 literals_from, bool indices) {
  u64 bytes = load64(byte_at(f, at));
  bool run = indices ? bytes == load64(byte_at(f, at + 1)) : bytes == 0;
  if (run && at > FIRST_POSITION) return find_run(f, at);
  if (same_at(f, at, bytes, f->last_distance)) return match_at(f, at, f->last_distance);
  match m;
  if (find_distance(f, at, bytes, &m)) return m;
  return find_place(f, at, bytes, literals_from);
}

INLINE void go_through(block *b, const span *s, bool indices) {
  finder f = {.origin = (uintptr_t)s->bytes - s->position, .end = s->position + s->size, .last_distance = s->bytes_per_pixel};
  fill_distances(&f, s);
  u32 at = s->position, literals_from = at, misses = 0;
  u32 last = s->size >= 16 ? f.end - 16 : at;
  while (at < last) {
    match m = find(&f, at, literals_from, indices);
    if (m.length < (m.distance > FAR ? MIN_FAR : MIN_NEAR)) {
      at += 1 + min32(misses++ >> PATIENCE, MAX_STEP - 1);
      continue;
    }
    misses = 0;
    u32 literals = m.at - literals_from;
    block_literals(b, byte_at(&f, literals_from), literals);
    at = literals_from = m.at + block_match(b, literals, m.length, m.distance);
    if (at < last) places[hash(load64(byte_at(&f, at - 2)))] = at - 2;
  }
  b->tail = f.end - literals_from;
  block_literals(b, byte_at(&f, literals_from), b->tail);
}

void find_fast(block *b, const span *s) {
  if (s->indices)
    go_through(b, s, true);
  else
    go_through(b, s, false);
}
