// Rows of the picture become filtered rows of the PNG.
#pragma once

#include "base.h"

// The numbers that PNG gives the filters.
typedef enum { FILTER_NONE, FILTER_SUB, FILTER_UP, FILTER_AVERAGE, FILTER_PAETH } filter;

// A layout says how pixels lie in the input and in the PNG.
typedef struct {
  u32 bytes_per_pixel; // 3 leaves the fourth byte out
  bool swap;           // blue comes first in the input
} layout;

// filter_row writes the filter's number and width pixels behind it, and up to
// GUARD bytes more. above is 0 for the first row. Both rows are read up to
// GUARD bytes beyond their end.
void filter_row(u8 *out, const u8 *row, const u8 *above, u32 width, layout l, filter f);

// same_rows says whether two rows of width pixels are equal.
bool same_rows(const u8 *a, const u8 *b, u32 width);
