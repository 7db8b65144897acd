#include "distances.h"

enum {
  HASH_BITS = 14,
  SURE = 8,         // bytes that are compared before a place is taken
  MIN_NEAR = 6,     // a match below this costs more than its literals
  MIN_FAR = 8,      // the same from FAR on, where distances take more bits
  FAR = 300,
  PATIENCE = 5,     // 2^this misses in a row make the step one longer
  MAX_STEP = 24,
  TRIALS = 4000,    // after so many, the distances must have been worth it:
  WORTH = 64,       // one hit in so many trials
};

static u32 places[1 << HASH_BITS];

void find_fast_reset(void) { __builtin_memset(places, 0, sizeof places); }

INLINE u32 hash(u64 v) { return (u32)((v * 0x9E3779B185EBCA87ull) >> (64 - HASH_BITS)); }

// A finder is what find_fast knows while it goes through a span.
typedef struct {
  uintptr_t origin; // of position 0
  u32 end;
  u32 last_distance;
  distances distances;
  u32 trials, hits;
} finder;

typedef struct {
  u32 at, length, distance;
} match;

INLINE const u8 *byte_at(const finder *f, u32 position) { return (const u8 *)(f->origin + position); }

INLINE bool same_at(const finder *f, u32 at, u64 bytes, u32 distance) {
  return at - FIRST_POSITION >= distance && load64(byte_at(f, at - distance)) == bytes;
}

INLINE match match_at(const finder *f, u32 at, u32 distance) {
  return (match){at, match_length(byte_at(f, at), byte_at(f, at - distance), f->end - at), distance};
}

// find_run finds a run: of zeros in filtered rows, else of one pixel. Runs come
// first, because they are long and no distance is cheaper to say.
INLINE bool find_run(const finder *f, u32 at, u64 bytes, u32 pixel, bool filtered, match *m) {
  if (!filtered) {
    if (!same_at(f, at, bytes, pixel)) return false;
    *m = match_at(f, at, pixel);
    return true;
  }
  if (bytes != 0 || at == FIRST_POSITION) return false;
  if (byte_at(f, at)[-1] != 0) at++;
  *m = match_at(f, at, 1);
  return true;
}

INLINE bool find_distance(finder *f, u32 at, u64 bytes, match *m) {
  if (f->trials >= TRIALS && f->hits * WORTH <= f->trials) return false;
  f->trials++;
  for (u32 i = 0; i < f->distances.count; i++)
    if (same_at(f, at, bytes, f->distances.at[i])) {
      f->hits++;
      f->last_distance = f->distances.at[i];
      *m = match_at(f, at, f->distances.at[i]);
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

INLINE match find(finder *f, u32 at, u32 literals_from, u32 pixel, bool filtered) {
  u64 bytes = load64(byte_at(f, at));
  match m;
  if (find_run(f, at, bytes, pixel, filtered, &m)) return m;
  if (same_at(f, at, bytes, f->last_distance)) return match_at(f, at, f->last_distance);
  if (find_distance(f, at, bytes, &m)) return m;
  return find_place(f, at, bytes, literals_from);
}

INLINE void go_through(block *b, const span *s, bool filtered) {
  finder f = {.origin = (uintptr_t)s->bytes - s->position, .end = s->position + s->size, .last_distance = s->bytes_per_pixel};
  f.distances = distances_of(s);
  u32 at = s->position, literals_from = at, misses = 0;
  u32 last = s->size >= 16 ? f.end - 16 : at;
  while (at < last) {
    match m = find(&f, at, literals_from, s->bytes_per_pixel, filtered);
    if (m.length < (m.distance > FAR ? MIN_FAR : MIN_NEAR)) {
      at += 1 + min32(misses++ >> PATIENCE, MAX_STEP - 1);
      continue;
    }
    misses = 0;
    u32 literals = m.at - literals_from;
    block_literals(b, byte_at(&f, literals_from), literals);
    block_match(b, literals, m.length, m.distance);
    at = literals_from = m.at + m.length;
    if (at < last) places[hash(load64(byte_at(&f, at - 2)))] = at - 2;
  }
  b->tail = f.end - literals_from;
  block_literals(b, byte_at(&f, literals_from), b->tail);
}

void find_fast(block *b, const span *s) {
  if (s->filtered)
    go_through(b, s, true);
  else
    go_through(b, s, false);
}
