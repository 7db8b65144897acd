// Huffman codes of a limited length, as deflate wants them.
#pragma once

#include "base.h"

enum { MAX_SYMBOLS = 288 };

// make_lengths sets the length of each symbol's code, 0 for a symbol that does
// not occur. At least two symbols get a code, which makes it a complete one
// for every decoder. limit is at most 15, and 2^limit at least count.
void make_lengths(const u32 *frequencies, u32 count, u32 limit, u8 *lengths);

// make_codes sets the canonical codes of lengths, their first bit lowest.
void make_codes(const u8 *lengths, u32 count, u16 *codes);
