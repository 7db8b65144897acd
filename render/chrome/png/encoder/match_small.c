#include "distances.h"

// find_small weighs matches by the bits that they save: what their bytes take
// as literals, less what the length and the distance take. It looks at all
// likely distances and along the chain of a hash, and waits with a match where
// the one a byte later saves more.

enum {
  ENOUGH = 16,   // a match that long is not looked for in the chain any more
  PATIENT = 32,  // a match that long is taken without a look at the next byte
  MAX_CANDIDATES = MAX_DISTANCES + 5,
  PATIENCE = 5,  // 2^this misses in a row make the step one longer
  MAX_STEP = 4,
  EFFORT = 16,
  SELDOM = 8,
  NEAR = 8192,   // how far back three bytes are worth it
  FRACTION = 4,  // costs are in bits, with so many binary places
  LEAST_GAIN = 5 << FRACTION >> 1, // less is within what the costs are wrong by
  // What did not occur before, or hardly, is not taken to be dearer than this:
  // it would never be tried.
  MAX_LENGTH_COST = 7 << FRACTION,
  MAX_DISTANCE_COST = 6 << FRACTION,
};

// What the bytes before a position take as literals.
static u32 literals_to[MAX_BLOCK + 1];

static u32 length_costs[MAX_MATCH + 1], distance_costs[DISTANCE_SYMBOLS];

void memory_reset(memory *m) { *m = (memory){0}; }

// log2_of is the logarithm of v with FRACTION binary places.
static u32 log2_of(u32 v) {
  u32 whole = 31 - (u32)__builtin_clz(v);
  u32 rest = whole >= 16 ? (v >> (whole - 16)) & 0xFFFF : (v << (16 - whole)) & 0xFFFF;
  // x + x(1-x)/3 is within a hundredth of log2(1+x).
  u32 fraction = rest + (u32)((u64)rest * (65536 - rest) / 3 >> 16);
  return whole << FRACTION | fraction >> (16 - FRACTION);
}

// cost_of is what a symbol takes that occurs so often. One that did not occur
// may still be wanted, so that none is without a cost.
static u32 cost_of(u32 frequency, u32 total) {
  u32 all = log2_of(total), own = log2_of(2 * frequency + 1);
  return max32(all > own ? all - own : 0, 1 << FRACTION);
}

static void fill_costs(const block *b, const u8 *bytes, u32 size) {
  u32 all[LITERAL_SYMBOLS], total = 0, distances = 0, literal_costs[256];
  for (u32 s = 0; s < LITERAL_SYMBOLS; s++) {
    all[s] = frequency(&b->frequencies, s);
    total += 2 * all[s] + 1;
  }
  for (u32 s = 0; s < DISTANCE_SYMBOLS; s++) distances += 2 * b->frequencies.distances[s] + 1;
  for (u32 s = 0; s < 256; s++) literal_costs[s] = cost_of(all[s], total);
  for (u32 n = MIN_MATCH; n <= MAX_MATCH; n++) {
    u32 symbol = length_symbols[n];
    length_costs[n] = min32(cost_of(all[FIRST_LENGTH + symbol], total), MAX_LENGTH_COST) + (length_extra[symbol] << FRACTION);
  }
  for (u32 s = 0; s < DISTANCE_SYMBOLS; s++)
    distance_costs[s] = min32(cost_of(b->frequencies.distances[s], distances), MAX_DISTANCE_COST) + (distance_extra[s] << FRACTION);
  literals_to[0] = 0;
  for (u32 i = 0; i < size; i++) literals_to[i + 1] = literals_to[i] + literal_costs[bytes[i]];
}

// A candidate is a distance at which matches are likely. From a position up to
// reach, bytes are equal to those at the distance.
typedef struct {
  u32 distance, reach, cost;
} candidate;

typedef struct {
  const u8 *bytes; // of the span; positions are counted from here
  u32 size, first; // position of the span in the picture
  candidate candidates[MAX_CANDIDATES];
  u32 count;
  memory *memory;
  u32 depth;  // of memory, at most
  u32 effort; // the depth that was worth it lately, times EFFORT
} search;

static void add_candidate(search *s, u32 distance) {
  if (distance == 0 || distance > WINDOW) return;
  for (u32 k = 0; k < s->count; k++)
    if (s->candidates[k].distance == distance) return;
  CHECK(s->count < MAX_CANDIDATES);
  s->candidates[s->count++] = (candidate){distance, 0, distance_costs[distance_symbol(distance)]};
}

static void fill_candidates(search *s, const span *of) {
  distances d = distances_of(of);
  add_candidate(s, 1);
  add_candidate(s, of->bytes_per_pixel);
  add_candidate(s, of->stride);
  for (u32 i = 0; i < d.count; i++) add_candidate(s, d.at[i]);
}

typedef struct {
  u32 length, distance;
  int gain;
} match;

// consider weighs a match by one token of it: of two that are longer, the one
// with the cheaper distance is better, whichever goes on longer.
INLINE void consider(match *best, u32 at, u32 length, u32 distance, u32 distance_cost) {
  if (length < MIN_MATCH) return;
  length = min32(length, MAX_MATCH);
  int gain = (int)(literals_to[at + length] - literals_to[at] - distance_cost - length_costs[length]);
  if (gain > best->gain) *best = (match){length, distance, gain};
}

// first3 is the first three bytes at p, in a number.
INLINE u32 first3(const u8 *p) { return load32(p) << 8; }

INLINE void try_candidates(search *s, u32 at, match *best) {
  u32 bytes = first3(s->bytes + at);
  for (u32 k = 0; k < s->count; k++) {
    candidate *c = &s->candidates[k];
    if (c->reach <= at) {
      if (s->first + at - FIRST_POSITION < c->distance || first3(s->bytes + at - c->distance) != bytes) continue;
      c->reach = at + match_length(s->bytes + at, s->bytes + at - c->distance, s->size - at);
    }
    consider(best, at, c->reach - at, c->distance, c->cost);
  }
}

INLINE u32 hash(u32 bytes, u32 bits) { return (bytes * 0x9E3779B1u) >> (32 - bits); }

INLINE void try_near(const search *s, u32 at, match *best) {
  const u8 *here = s->bytes + at;
  u32 distance = s->first + at - s->memory->near[hash(first3(here), NEAR_BITS)];
  if (distance - 1 >= NEAR || first3(here - distance) != first3(here)) return;
  consider(best, at, match_length(here, here - distance, min32(s->size - at, MAX_MATCH)), distance, distance_costs[distance_symbol(distance)]);
}

INLINE void try_chain(const search *s, u32 at, u32 depth, match *best) {
  const u8 *here = s->bytes + at;
  u32 bytes = load32(here), most = min32(s->size - at, MAX_MATCH), longest = max32(best->length, MIN_MATCH);
  u32 distance = s->first + at - s->memory->heads[hash(bytes, HEAD_BITS)];
  for (; depth > 0 && distance - 1 < WINDOW && longest < most; depth--) {
    const u8 *there = here - distance;
    if (load32(there + longest - 3) == load32(here + longest - 3) && load32(there) == bytes) {
      u32 length = match_length(here, there, most);
      if (length > longest) {
        longest = length;
        consider(best, at, length, distance, distance_costs[distance_symbol(distance)]);
      }
    }
    distance = s->first + at - s->memory->before[(s->first + at - distance) % WINDOW];
  }
}

INLINE void remember(const search *s, u32 at) {
  u32 place = s->first + at, *head = &s->memory->heads[hash(load32(s->bytes + at), HEAD_BITS)];
  s->memory->near[hash(first3(s->bytes + at), NEAR_BITS)] = place;
  s->memory->before[place % WINDOW] = *head;
  *head = place;
}

// try_places looks into the memory, as deep as it was worth lately. Where it
// was worth nothing, as in photos, it looks now and then.
INLINE void try_places(search *s, u32 at, match *best) {
  u32 depth = s->effort / EFFORT;
  if (depth == 0) {
    if (at % SELDOM != 0) return;
    depth = 1;
  }
  int least = best->gain > LEAST_GAIN ? best->gain : LEAST_GAIN;
  if (best->length <= MIN_MATCH) try_near(s, at, best);
  try_chain(s, at, depth, best);
  if (best->gain > least)
    s->effort = min32(s->effort + 4 * EFFORT, s->depth * EFFORT);
  else if (s->effort >= EFFORT)
    s->effort -= EFFORT / 4;
}

// best_at is the match at a position that saves most, and remembers the position.
INLINE match best_at(search *s, u32 at) {
  match best = {0};
  try_candidates(s, at, &best);
  if (best.length < ENOUGH) try_places(s, at, &best);
  remember(s, at);
  return best;
}

void find_small(block *b, const span *of, memory *m, u32 depth) {
  search s = {.bytes = of->bytes, .size = of->size, .first = of->position, .memory = m, .depth = depth, .effort = depth * EFFORT};
  fill_costs(b, of->bytes, of->size);
  fill_candidates(&s, of);
  block_start(b, of->bytes, of->size);
  u32 at = 0, literals_from = 0, misses = 0, last = of->size >= 16 ? of->size - 16 : 0;
  while (at < last) {
    match found = best_at(&s, at);
    u32 known = at + 1;
    if (found.gain < LEAST_GAIN) {
      at += 1 + min32(misses++ >> PATIENCE, MAX_STEP - 1);
      continue;
    }
    misses = 0;
    while (found.length < PATIENT && at + 1 < last) {
      match next = best_at(&s, at + 1);
      known = at + 2;
      if (next.gain <= found.gain) break;
      found = next;
      at++;
    }
    block_literals(b, s.bytes + literals_from, at - literals_from);
    block_match(b, at - literals_from, found.length, found.distance);
    at += found.length;
    literals_from = at;
    for (u32 i = found.length > 64 ? at - 16 : known; i < min32(at, last); i++) remember(&s, i);
  }
  b->tail = of->size - literals_from;
  block_literals(b, of->bytes + literals_from, b->tail);
}
