// A deflate stream, block by block: what a match finder found becomes bits.
#pragma once

#include "symbols.h"

// A token is some literals and then one match.
typedef struct {
  u32 literals;
  u16 length;
  u16 distance;
} token;

// A block is size filtered bytes and how they are said: tokens, then the rest
// as literals. Every token covers at least MIN_MATCH bytes, which bounds their
// number.
enum { MAX_TOKENS = MAX_BLOCK / MIN_MATCH + 1 };

typedef struct {
  u32 literals[4][288]; // four, so that equal neighbours don't wait for each other
  u32 distances[32];
} frequencies;

typedef struct {
  const u8 *bytes;
  u32 size;
  token *tokens;
  u32 count;
  u32 tail; // literals after the last token
  frequencies frequencies;
} block;

// frequency is how often a literal or length occurs.
INLINE u32 frequency(const frequencies *f, u32 symbol) {
  return f->literals[0][symbol] + f->literals[1][symbol] + f->literals[2][symbol] + f->literals[3][symbol];
}

// block_start empties b for size bytes.
void block_start(block *b, const u8 *bytes, u32 size);

// block_literals counts literals into the frequencies.
void block_literals(block *b, const u8 *bytes, u32 count);

// block_match adds a match of any length from MIN_MATCH on, after literals that
// were counted already.
void block_match(block *b, u32 literals, u32 length, u32 distance);

// block_bits is how many bits block_write takes at most, the pending ones of
// the stream left aside.
u64 block_bits(const block *b);

// A stream writes bits to bytes that end at limit.
typedef struct {
  u8 *at;
  u8 *limit;
  u64 pending;
  u32 pending_bits; // at most 7 between two calls
} stream;

// block_write writes b, stored where that is shorter: never more than
// STORED_OVERHEAD for each begun 65535 bytes beside the bytes themselves.
enum { MAX_STORED = 65535, STORED_OVERHEAD = 6 };
void block_write(stream *s, const block *b, bool final);

// stream_align fills up the last byte.
void stream_align(stream *s);
