#include "colours.h"

enum { SLOTS = 65536 };

// A hash table with open addressing: slots hold numbers plus one. At most a
// quarter of the slots is taken, which ends each search soon.
static u16 slots[SLOTS];
static u32 keys[MAX_COLOURS];
static tally tallies[MAX_COLOURS];
static u32 count;
static u32 mask; // the bits of a pixel that count

static void clear(void) {
  __builtin_memset(slots, 0, sizeof slots);
  count = 0;
  mask = ~0u;
}

// slot_of is where key is, or the free slot where it belongs.
INLINE u32 slot_of(u32 key) {
  u32 slot = (key * 0x9E3779B1u) >> 16;
  while (slots[slot] != 0 && keys[slots[slot] - 1] != key) slot = (slot + 1) % SLOTS;
  return slot;
}

u32 colours_get(u32 number) {
  CHECK(number < count);
  return keys[number];
}

const tally *colours_tally(u32 number) {
  CHECK(number < count);
  return &tallies[number];
}

u32 colours_find(u32 pixel) {
  u32 number = slots[slot_of(pixel & mask)];
  CHECK(number != 0);
  return number - 1;
}

// add_pixels adds the colours of some pixels; false where there are more than most.
static bool add_pixels(const colour_source *s, u32 from, u32 to, u32 most) {
  u32 last = ~source_pixel(s, from);
  for (u32 i = from; i < to; i++) {
    u32 pixel = source_pixel(s, i);
    if (pixel == last) continue;
    last = pixel;
    u32 slot = slot_of(pixel);
    if (slots[slot] != 0) continue;
    if (count == most) return false;
    keys[count++] = pixel;
    slots[slot] = (u16)count;
  }
  return true;
}

u32 colours_exact(const colour_source *s, u32 most) {
  CHECK(most <= MAX_COLOURS);
  clear();
  // Most pictures have too many colours, and rows far apart show it soonest.
  for (u32 step = max32(s->height / 8, 1), y = step / 2; y < s->height; y += step)
    if (!add_pixels(s, y * s->width, (y + 1) * s->width, most)) return 0;
  if (!add_pixels(s, 0, s->width * s->height, most)) return 0;
  return count;
}

void tally_add(tally *t, const tally *more) {
  t->pixels += more->pixels;
  for (u32 c = 0; c < 4; c++) t->sums[c] += more->sums[c];
}

static tally tally_of(u32 pixel, u32 pixels) {
  u64 alpha = pixel >> 24, weight = alpha * pixels;
  return (tally){pixels, {(pixel & 255) * weight, ((pixel >> 8) & 255) * weight, ((pixel >> 16) & 255) * weight, weight}};
}

// add_tally adds to the colour of key; false where that would be one too many.
static bool add_tally(u32 key, const tally *t) {
  u32 slot = slot_of(key);
  if (slots[slot] == 0) {
    if (count == MAX_COLOURS) return false;
    keys[count] = key;
    tallies[count++] = (tally){0};
    slots[slot] = (u16)count;
  }
  tally_add(&tallies[slots[slot] - 1], t);
  return true;
}

// merge makes one colour of those that differ in one more bit of a channel.
static void merge(void) {
  u32 before = count, bits = mask & mask << 1 & 0xFEFEFEFEu;
  clear();
  mask = bits;
  for (u32 i = 0; i < before; i++) {
    tally t = tallies[i]; // count is never above i, so this is still the old one
    CHECK(add_tally(keys[i] & mask, &t));
  }
}

u32 colours_merged(const colour_source *s) {
  clear();
  u32 pixels = s->width * s->height;
  for (u32 i = 0, end; i < pixels; i = end) {
    u32 pixel = source_pixel(s, i);
    for (end = i + 1; end < pixels && source_pixel(s, end) == pixel;) end++;
    tally t = tally_of(pixel, end - i);
    while (!add_tally(pixel & mask, &t)) merge();
  }
  return count;
}
