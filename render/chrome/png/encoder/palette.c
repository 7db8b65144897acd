#include "palette.h"

static u32 depth_for(u32 count) { return count <= 2 ? 1 : count <= 4 ? 2 : count <= 16 ? 4 : 8; }

// add_entry adds a colour to the palette.
static void add_entry(palette *p, u32 colour, bool swap) {
  u8 *e = p->entries[p->count++], low = (u8)colour, high = (u8)(colour >> 16);
  e[0] = swap ? high : low;
  e[1] = (u8)(colour >> 8);
  e[2] = swap ? low : high;
  e[3] = (u8)(colour >> 24);
}

// add_colours adds the counted colours that are opaque, or those that are not.
static void add_colours(palette *p, u32 count, bool opaque, bool swap) {
  for (u32 i = 0; i < count; i++) {
    u32 colour = colours_get(i);
    if ((colour >> 24 == 255) != opaque) continue;
    p->index[i] = (u8)p->count;
    add_entry(p, colour, swap);
  }
}

bool palette_exact(palette *p, const colour_source *s, u32 most, bool swap) {
  u32 count = colours_exact(s, most);
  if (count == 0) return false;
  p->count = 0;
  p->depth = depth_for(count);
  add_colours(p, count, false, swap); // first, which keeps their list of alphas short
  p->transparent = p->count;
  add_colours(p, count, true, swap);
  return true;
}

void palette_row(u8 *out, const palette *p, const colour_source *s, u32 y) {
  u32 from = y * s->width, last = ~source_pixel(s, from), index = 0;
  *out++ = 0;
  for (u32 x = 0; x < s->width;) {
    u32 packed = 0;
    for (u32 bits = 0; bits < 8; bits += p->depth, x++) {
      if (x < s->width) {
        u32 pixel = source_pixel(s, from + x);
        if (pixel != last) index = p->index[colours_find(pixel)];
        last = pixel;
      }
      packed = packed << p->depth | (x < s->width ? index : 0);
    }
    *out++ = (u8)packed;
  }
}
