// How deflate says lengths and distances: RFC 1951, 3.2.5.
#pragma once

#include "base.h"

enum {
  MIN_MATCH = 3,
  MAX_MATCH = 258,
  END_OF_BLOCK = 256,
  FIRST_LENGTH = 257,
  LITERAL_SYMBOLS = 286, // literals, end of block, lengths
  DISTANCE_SYMBOLS = 30,
};

extern u8 length_symbols[MAX_MATCH + 1]; // by length, counted from FIRST_LENGTH
extern u8 length_extra[29];              // bits after a symbol, by the same count
extern u16 length_base[29];
extern u8 distance_symbols_near[256], distance_symbols_far[256]; // by distance - 1, by that / 128
extern u8 distance_extra[DISTANCE_SYMBOLS];
extern u16 distance_base[DISTANCE_SYMBOLS];

// symbols_fill makes the tables, before anything else is done with them. It may
// be called again.
void symbols_fill(void);

INLINE u32 distance_symbol(u32 distance) {
  distance--;
  return distance < 256 ? distance_symbols_near[distance] : distance_symbols_far[distance >> 7];
}
