// The memory of a picture: its pixels and its PNG. Everything else has its
// place when the program is built.
#pragma once

#include "base.h"

typedef struct {
  u32 width, height; // 0 when there is none
  u8 *input;         // width * height * 4 bytes, and GUARD readable ones
  u8 *output;
  u32 capacity; // of output: enough for every PNG of a picture of this size
} picture;

// picture_of is the picture that was reserved last.
const picture *picture_of(void);
