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

// A shortcut holds the indices of some pixels, found before.
enum { SHORTCUTS = 1024 };
static u32 shortcut_pixels[SHORTCUTS];
static u8 shortcuts[SHORTCUTS];

static void forget_shortcuts(const palette *p) {
  u32 pixel = colours_get(0);
  for (u32 i = 0; i < SHORTCUTS; i++) {
    shortcut_pixels[i] = pixel;
    shortcuts[i] = p->index[colours_find(pixel)];
  }
}

INLINE u32 index_of(const palette *p, u32 pixel) {
  u32 i = (pixel * 0x9E3779B1u) >> 22;
  if (shortcut_pixels[i] != pixel) {
    shortcut_pixels[i] = pixel;
    shortcuts[i] = p->index[colours_find(pixel)];
  }
  return shortcuts[i];
}

void palette_row(u8 *out, const palette *p, const colour_source *s, u32 y) {
  u32 from = y * s->width, x = 0;
  if (y == 0) forget_shortcuts(p);
  *out++ = 0;
  if (p->depth == 8) {
    for (; x < s->width; x++) *out++ = (u8)index_of(p, source_pixel(s, from + x));
    return;
  }
  while (x < s->width) {
    u32 packed = 0;
    for (u32 bits = 0; bits < 8; bits += p->depth, x++)
      packed = packed << p->depth | (x < s->width ? index_of(p, source_pixel(s, from + x)) : 0);
    *out++ = (u8)packed;
  }
}
