#include "distances.h"

enum {
  SAMPLES = 256,
  WORDS = SAMPLES / 64,
  MAX_TRIED = 80,
  WORTH = SAMPLES / 64, // so many samples that no better distance serves
};

// Rows up, and from how far left to how far right in which steps of pixels.
static const struct {
  u8 rows, step;
  int8_t from, to;
} tried[] = {{0, 1, 1, 4}, {0, 8, 8, 16}, {1, 1, -3, 3}, {2, 2, -8, 8}, {4, 2, -16, 16}, {8, 4, -24, 24}};

typedef struct {
  u32 distance;
  u64 served[WORDS]; // a bit for each sample
} trial;

static u32 list(trial *trials, const span *s) {
  u32 count = 0;
  for (u32 i = 0; i < sizeof tried / sizeof *tried; i++)
    for (int x = tried[i].from; x <= tried[i].to; x += tried[i].step) {
      // To the left is farther back.
      int distance = (int)(tried[i].rows * s->stride) + (tried[i].rows ? -x : x) * (int)s->bytes_per_pixel;
      if (distance <= 0 || distance > WINDOW) continue;
      CHECK(count < MAX_TRIED);
      trials[count++] = (trial){.distance = (u32)distance};
    }
  return count;
}

// sample tests all distances at places all over the span, except in runs, which
// need no distance.
static void sample(trial *trials, u32 count, const span *s) {
  u32 step = (s->size - 8) / SAMPLES;
  for (u32 i = 0, at = step / 2; i < SAMPLES; i++, at += step) {
    u64 bytes = load64(s->bytes + at);
    if (bytes == 0) continue;
    u32 behind = s->position + at - FIRST_POSITION;
    for (u32 t = 0; t < count; t++) {
      u32 d = trials[t].distance;
      if (d <= behind && load64(s->bytes + at - d) == bytes) trials[t].served[i / 64] |= 1ull << i % 64;
    }
  }
}

static u32 served(const trial *t) {
  u32 n = 0;
  for (u32 i = 0; i < WORDS; i++) n += (u32)__builtin_popcountll(t->served[i]);
  return n;
}

distances distances_of(const span *s) {
  static trial trials[MAX_TRIED];
  distances d = {0};
  if (s->size < 4 * SAMPLES) return d;
  u32 count = list(trials, s);
  sample(trials, count, s);
  while (d.count < MAX_DISTANCES) {
    u32 best = 0, most = 0;
    for (u32 t = 0; t < count; t++)
      if (served(&trials[t]) > most) best = t, most = served(&trials[t]);
    if (most < WORTH) break;
    d.at[d.count++] = trials[best].distance;
    trial taken = trials[best];
    for (u32 t = 0; t < count; t++)
      for (u32 i = 0; i < WORDS; i++) trials[t].served[i] &= ~taken.served[i];
  }
  return d;
}
