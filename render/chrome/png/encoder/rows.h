// The rows of a picture become a zlib stream's blocks and its checksum.
#pragma once

#include "deflate.h"
#include "filter.h"
#include "palette.h"

typedef struct {
  colour_source source;
  layout layout;
  const palette *palette; // 0 for rows of RGB or RGBA
} rows;

// rows_put writes them all, the small way or the fast one.
void rows_put(stream *out, const rows *r, bool small);
