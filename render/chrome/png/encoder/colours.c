#include "colours.h"

enum { SLOTS = 2 * MAX_COLOURS };

// A hash table with open addressing: slots hold numbers plus one.
static u16 slots[SLOTS];
static u32 keys[MAX_COLOURS];
static u32 count;

static void clear(void) {
  __builtin_memset(slots, 0, sizeof slots);
  count = 0;
}

// slot_of is where key is, or the free slot where it belongs. Half of the slots
// are always free, which ends the search.
INLINE u32 slot_of(u32 key) {
  u32 slot = (key * 0x9E3779B1u) >> 16;
  while (slots[slot] != 0 && keys[slots[slot] - 1] != key) slot = (slot + 1) % SLOTS;
  return slot;
}

u32 colours_get(u32 number) {
  CHECK(number < count);
  return keys[number];
}

u32 colours_find(u32 pixel) {
  u32 number = slots[slot_of(pixel)];
  CHECK(number != 0);
  return number - 1;
}

// add_row adds the colours of pixels; false where there are more than most.
static bool add_row(const colour_source *s, u32 from, u32 to, u32 most) {
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
    if (!add_row(s, y * s->width, (y + 1) * s->width, most)) return 0;
  if (!add_row(s, 0, s->width * s->height, most)) return 0;
  return count;
}
