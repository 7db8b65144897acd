#include "palette.h"

#include "quantise.h"

// palette_fill sorts colours into the palette: those that are not opaque come
// first, which keeps PNG's list of their alphas short. Then it sets each
// number's index; in colour, numbers have their positions in colours.
static void palette_fill(palette *p, const u32 *colours, u32 count, const u8 *colour, u32 numbers, bool swap) {
  u8 place[MAX_PALETTE];
  p->count = 0;
  p->depth = count <= 2 ? 1 : count <= 4 ? 2 : count <= 16 ? 4 : 8;
  for (u32 opaque = 0; opaque < 2; opaque++) {
    for (u32 i = 0; i < count; i++) {
      if ((colours[i] >> 24 == 255) != opaque) continue;
      place[i] = (u8)p->count;
      u8 low = (u8)colours[i], high = (u8)(colours[i] >> 16), *e = p->entries[p->count++];
      e[0] = swap ? high : low;
      e[1] = (u8)(colours[i] >> 8);
      e[2] = swap ? low : high;
      e[3] = (u8)(colours[i] >> 24);
    }
    if (!opaque) p->transparent = p->count;
  }
  for (u32 i = 0; i < numbers; i++) p->index[i] = place[colour[i]];
}

bool palette_exact(palette *p, const colour_source *s, u32 most, bool swap) {
  u32 colours[MAX_PALETTE], count = colours_exact(s, most);
  u8 colour[MAX_PALETTE];
  if (count == 0) return false;
  for (u32 i = 0; i < count; i++) {
    colours[i] = colours_get(i);
    colour[i] = (u8)i;
  }
  palette_fill(p, colours, count, colour, count, swap);
  return true;
}

void palette_near(palette *p, const colour_source *s, u32 most, bool swap) {
  static u8 colour[MAX_COLOURS];
  u32 colours[MAX_PALETTE], numbers = colours_merged(s);
  u32 count = quantise(numbers, most, colours, colour);
  palette_fill(p, colours, count, colour, numbers, swap);
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
