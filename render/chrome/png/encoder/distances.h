// The distances at which a picture repeats itself.
#pragma once

#include "match.h"

enum { MAX_DISTANCES = 6 };

typedef struct {
  u32 count;
  u32 at[MAX_DISTANCES]; // the most useful first
} distances;

// distances_of samples a span for the distances that serve it best. Chrome
// dithers gradients by a pattern of 8x8 pixels, so that they repeat a few rows
// up and a few pixels aside, at a place that their angle makes.
distances distances_of(const span *s);
