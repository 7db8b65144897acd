// The distinct colours of a picture.
#pragma once

#include "base.h"

enum { MAX_COLOURS = 16384 };

// A colour is a pixel as it lies in the input, as a little-endian number: its
// alpha is the highest byte, or taken as 255.
typedef struct {
  const u8 *pixels;
  u32 width, height;
  bool opaque; // whatever the fourth bytes say
} colour_source;

INLINE u32 source_pixel(const colour_source *s, u32 i) { return load32(s->pixels + (size_t)i * 4) | (s->opaque ? 0xFF000000u : 0); }

// colours_exact counts the distinct colours of the picture; it gives up above
// most and returns 0 then. Colours get numbers from 0.
u32 colours_exact(const colour_source *s, u32 most);

// colours_merged counts colours that are the same but for their lowest bits: as
// few bits as bring their number down to MAX_COLOURS.
u32 colours_merged(const colour_source *s);

// colours_get is the colour of a number, as colours_exact found it.
u32 colours_get(u32 number);

// colours_find is the number of a pixel's colour, which must have been counted.
u32 colours_find(u32 pixel);

// A tally is the pixels of a colour, as colours_merged found them: how many,
// and the sums of their first three channels times alpha, and of alpha.
typedef struct {
  u32 pixels;
  u64 sums[4];
} tally;

void tally_add(tally *t, const tally *more);

// colours_tally is the tally of a number.
const tally *colours_tally(u32 number);
