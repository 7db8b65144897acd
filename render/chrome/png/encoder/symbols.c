#include "symbols.h"

u8 length_symbols[MAX_MATCH + 1];
u8 length_extra[29];
u16 length_base[29];
u8 distance_symbols_near[256], distance_symbols_far[256];
u8 distance_extra[DISTANCE_SYMBOLS];
u16 distance_base[DISTANCE_SYMBOLS];

static void fill_lengths(void) {
  u32 length = MIN_MATCH;
  for (u32 s = 0; s < 28; s++) {
    length_extra[s] = (u8)(s < 8 ? 0 : (s - 4) >> 2);
    length_base[s] = (u16)length;
    for (u32 i = 0; i < 1u << length_extra[s]; i++, length++)
      if (length < MAX_MATCH) length_symbols[length] = (u8)s;
  }
  length_base[28] = MAX_MATCH; // which alone has a symbol without extra bits
  length_symbols[MAX_MATCH] = 28;
}

static void fill_distances(void) {
  u32 distance = 1;
  for (u32 s = 0; s < DISTANCE_SYMBOLS; s++) {
    distance_extra[s] = (u8)(s < 4 ? 0 : (s - 2) >> 1);
    distance_base[s] = (u16)distance;
    for (u32 i = 0; i < 1u << distance_extra[s]; i++, distance++) {
      if (distance <= 256) distance_symbols_near[distance - 1] = (u8)s;
      distance_symbols_far[(distance - 1) >> 7] = (u8)s;
    }
  }
}

void symbols_fill(void) {
  if (length_base[28] != 0) return;
  fill_lengths();
  fill_distances();
}
