// A palette, and pixels as indices into it.
#pragma once

#include "colours.h"

enum { MAX_PALETTE = 256 };

typedef struct {
  u32 count;
  u32 transparent;            // so many entries, the first ones, are not opaque
  u32 depth;                  // bits of an index: 1, 2, 4 or 8
  u8 entries[MAX_PALETTE][4]; // red, green, blue, alpha
  u8 index[MAX_COLOURS];      // of a colour's number
} palette;

// palette_exact makes p of the colours of the picture, each as it is. It
// returns false where there are more than most.
bool palette_exact(palette *p, const colour_source *s, u32 most, bool swap);

// palette_near makes p of at most most colours that are near those of the picture.
void palette_near(palette *p, const colour_source *s, u32 most, bool swap);

// palette_row writes width indices, packed, behind the number of the filter
// that PNG wants for them, none.
void palette_row(u8 *out, const palette *p, const colour_source *s, u32 y);

INLINE u32 palette_row_size(const palette *p, u32 width) { return (width * p->depth + 7) / 8; }
