#include "deflate.h"

#include "huffman.h"

// Four literals of 12 bits and 7 pending ones fit into the 64 of a flush.
enum { CODE_LIMIT = 12 };

void block_start(block *b, const u8 *bytes, u32 size) {
  CHECK(size <= MAX_BLOCK);
  b->bytes = bytes;
  b->size = size;
  b->count = b->tail = 0;
  __builtin_memset(&b->frequencies, 0, sizeof b->frequencies);
}

void block_literals(block *b, const u8 *p, u32 count) {
  for (; count >= 4; p += 4, count -= 4) {
    u32 v = load32(p);
    b->frequencies.literals[0][v & 255]++;
    b->frequencies.literals[1][(v >> 8) & 255]++;
    b->frequencies.literals[2][(v >> 16) & 255]++;
    b->frequencies.literals[3][v >> 24]++;
  }
  while (count--) b->frequencies.literals[0][*p++]++;
}

void block_match(block *b, u32 literals, u32 length, u32 distance) {
  CHECK(distance - 1 < WINDOW && length >= MIN_MATCH);
  u32 symbol = distance_symbol(distance);
  while (length > 0) {
    u32 piece = length;
    if (length > MAX_MATCH) piece = length - MAX_MATCH < MIN_MATCH ? length - MIN_MATCH : MAX_MATCH;
    CHECK(b->count < MAX_TOKENS);
    b->tokens[b->count++] = (token){literals, (u16)piece, (u16)distance};
    b->frequencies.literals[0][FIRST_LENGTH + length_symbols[piece]]++;
    b->frequencies.distances[symbol]++;
    literals = 0;
    length -= piece;
  }
}

// A code is the two Huffman codes of a block.
typedef struct {
  u8 literal_lengths[MAX_SYMBOLS];
  u8 distance_lengths[32];
  u16 literals[MAX_SYMBOLS];
  u16 distances[32];
} code;

// A header is a dynamic code's lengths as deflate sends them (RFC 1951, 3.2.7):
// runs, said in symbols with extra bits.
typedef struct {
  u32 literal_count, distance_count, order_count, symbol_count;
  u8 symbols[LITERAL_SYMBOLS + DISTANCE_SYMBOLS], extras[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  u8 lengths[19];
  u16 codes[19];
  u32 bits;
} header;

static const u8 header_order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static void header_add(header *h, u32 *frequencies, u32 symbol, u32 extra) {
  h->symbols[h->symbol_count] = (u8)symbol;
  h->extras[h->symbol_count++] = (u8)extra;
  frequencies[symbol]++;
}

// header_run says a run of equal lengths.
static void header_run(header *h, u32 *frequencies, u32 length, u32 run) {
  if (length != 0) {
    header_add(h, frequencies, length, 0);
    run--;
  }
  while (run >= 3) {
    if (length != 0) {
      u32 n = min32(run, 6);
      header_add(h, frequencies, 16, n - 3);
      run -= n;
    } else if (run <= 10) {
      header_add(h, frequencies, 17, run - 3);
      run = 0;
    } else {
      u32 n = min32(run, 138);
      header_add(h, frequencies, 18, n - 11);
      run -= n;
    }
  }
  while (run--) header_add(h, frequencies, length, 0);
}

static u32 header_extra_bits(u32 symbol) { return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0; }

static void make_header(header *h, const code *c) {
  u8 all[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
  u32 frequencies[19] = {0};
  *h = (header){.literal_count = LITERAL_SYMBOLS, .distance_count = DISTANCE_SYMBOLS, .order_count = 19};
  while (h->literal_count > 257 && !c->literal_lengths[h->literal_count - 1]) h->literal_count--;
  while (h->distance_count > 1 && !c->distance_lengths[h->distance_count - 1]) h->distance_count--;
  u32 total = h->literal_count + h->distance_count;
  __builtin_memcpy(all, c->literal_lengths, h->literal_count);
  __builtin_memcpy(all + h->literal_count, c->distance_lengths, h->distance_count);
  for (u32 i = 0, run; i < total; i += run) {
    run = 1;
    while (i + run < total && all[i + run] == all[i]) run++;
    header_run(h, frequencies, all[i], run);
  }
  make_lengths(frequencies, 19, 7, h->lengths);
  make_codes(h->lengths, 19, h->codes);
  while (h->order_count > 4 && !h->lengths[header_order[h->order_count - 1]]) h->order_count--;
  h->bits = 14 + 3 * h->order_count;
  for (u32 s = 0; s < 19; s++) h->bits += frequencies[s] * (h->lengths[s] + header_extra_bits(s));
}

static void make_fixed_code(code *c) {
  for (u32 s = 0; s < MAX_SYMBOLS; s++) c->literal_lengths[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
  __builtin_memset(c->distance_lengths, 5, sizeof c->distance_lengths);
}

// body_bits is what the tokens of b take in the code.
static u64 body_bits(const code *c, const u32 *literals, const u32 *distances) {
  u64 bits = 0;
  for (u32 s = 0; s < LITERAL_SYMBOLS; s++) bits += (u64)literals[s] * (c->literal_lengths[s] + (s > END_OF_BLOCK ? length_extra[s - FIRST_LENGTH] : 0u));
  for (u32 s = 0; s < DISTANCE_SYMBOLS; s++) bits += (u64)distances[s] * (c->distance_lengths[s] + distance_extra[s]);
  return bits;
}

// A plan is the shortest way to write a block.
typedef enum { STORED, FIXED, DYNAMIC } way;

typedef struct {
  way way;
  code code;
  header header;
  u64 bits;
} plan;

// stored_bits is what size stored bytes take at most, from any bit of a byte.
static u64 stored_bits(u32 size) {
  u32 pieces = size / MAX_STORED + 1;
  return 8 * ((u64)size + (u64)pieces * STORED_OVERHEAD);
}

static void make_plan(plan *p, const block *b) {
  static code fixed;
  u32 literals[MAX_SYMBOLS];
  for (u32 s = 0; s < MAX_SYMBOLS; s++) literals[s] = frequency(&b->frequencies, s);
  literals[END_OF_BLOCK] = 1;
  make_lengths(literals, LITERAL_SYMBOLS, CODE_LIMIT, p->code.literal_lengths);
  make_lengths(b->frequencies.distances, DISTANCE_SYMBOLS, CODE_LIMIT, p->code.distance_lengths);
  make_header(&p->header, &p->code);
  p->way = DYNAMIC;
  p->bits = 3 + p->header.bits + body_bits(&p->code, literals, b->frequencies.distances);
  make_fixed_code(&fixed);
  u64 fixed_bits = 3 + body_bits(&fixed, literals, b->frequencies.distances);
  if (fixed_bits < p->bits) {
    p->way = FIXED;
    p->bits = fixed_bits;
    p->code = fixed;
  }
  if (stored_bits(b->size) < p->bits) {
    p->way = STORED;
    p->bits = stored_bits(b->size);
    return;
  }
  make_codes(p->code.literal_lengths, p->way == FIXED ? MAX_SYMBOLS : LITERAL_SYMBOLS, p->code.literals);
  make_codes(p->code.distance_lengths, p->way == FIXED ? 32 : DISTANCE_SYMBOLS, p->code.distances);
}

static plan best;

u64 block_bits(const block *b) {
  make_plan(&best, b);
  return best.bits;
}

// flush moves the whole bytes of pending out. It writes 8 bytes, of which the
// ones behind the moved bytes don't count yet.
INLINE void flush(stream *s) {
  store64(s->at, s->pending);
  s->at += s->pending_bits >> 3;
  s->pending >>= s->pending_bits & ~7u;
  s->pending_bits &= 7;
}

INLINE void add(stream *s, u64 bits, u32 count) {
  s->pending |= bits << s->pending_bits;
  s->pending_bits += count;
}

static void put(stream *s, u32 bits, u32 count) {
  add(s, bits, count);
  flush(s);
}

void stream_align(stream *s) {
  if (s->pending_bits) put(s, 0, 8 - s->pending_bits);
}

static void write_stored(stream *s, const block *b, bool final) {
  u32 done = 0;
  do {
    u32 size = min32(b->size - done, MAX_STORED);
    put(s, final && done + size == b->size, 1);
    put(s, 0, 2);
    stream_align(s);
    put(s, size, 16);
    put(s, ~size & 0xFFFF, 16);
    __builtin_memcpy(s->at, b->bytes + done, size);
    s->at += size;
    done += size;
  } while (done < b->size);
}

static void write_header(stream *s, const header *h) {
  put(s, h->literal_count - 257, 5);
  put(s, h->distance_count - 1, 5);
  put(s, h->order_count - 4, 4);
  for (u32 i = 0; i < h->order_count; i++) put(s, h->lengths[header_order[i]], 3);
  for (u32 i = 0; i < h->symbol_count; i++) {
    u32 symbol = h->symbols[i];
    put(s, h->codes[symbol], h->lengths[symbol]);
    put(s, h->extras[i], header_extra_bits(symbol));
  }
}

// A ready code has its bits above, how many they are in the lowest byte.
static u32 ready_literal[256], ready_length[MAX_MATCH + 1], ready_distance[DISTANCE_SYMBOLS];

static void make_ready(const code *c) {
  for (u32 s = 0; s < 256; s++) ready_literal[s] = (u32)c->literals[s] << 8 | c->literal_lengths[s];
  for (u32 n = MIN_MATCH; n <= MAX_MATCH; n++) {
    u32 symbol = length_symbols[n], length = c->literal_lengths[FIRST_LENGTH + symbol];
    u32 bits = c->literals[FIRST_LENGTH + symbol] | (n - length_base[symbol]) << length;
    ready_length[n] = bits << 8 | (length + length_extra[symbol]);
  }
  for (u32 s = 0; s < DISTANCE_SYMBOLS; s++) ready_distance[s] = (u32)c->distances[s] << 8 | c->distance_lengths[s];
}

INLINE void add_ready(stream *s, u32 ready) { add(s, ready >> 8, ready & 255); }

INLINE const u8 *write_literals(stream *s, const u8 *p, u32 count) {
  for (; count >= 4; count -= 4, p += 4) {
    u32 v = load32(p);
    u32 a = ready_literal[v & 255], b = ready_literal[(v >> 8) & 255];
    u32 c = ready_literal[(v >> 16) & 255], d = ready_literal[v >> 24];
    u32 a_bits = a & 255, c_bits = c & 255, ab_bits = a_bits + (b & 255);
    u32 ab = a >> 8 | (b >> 8) << a_bits, cd = c >> 8 | (d >> 8) << c_bits;
    add(s, ab | (u64)cd << ab_bits, ab_bits + c_bits + (d & 255));
    flush(s);
  }
  for (; count > 0; count--) add_ready(s, ready_literal[*p++]);
  flush(s);
  return p;
}

static void write_body(stream *to, const block *b, const code *c) {
  make_ready(c);
  stream s = *to; // in registers
  const u8 *p = b->bytes;
  for (const token *t = b->tokens, *end = t + b->count; t < end; t++) {
    p = write_literals(&s, p, t->literals);
    add_ready(&s, ready_length[t->length]);
    u32 symbol = distance_symbol(t->distance);
    add_ready(&s, ready_distance[symbol]);
    add(&s, t->distance - distance_base[symbol], distance_extra[symbol]);
    flush(&s);
    p += t->length;
  }
  p = write_literals(&s, p, b->tail);
  CHECK(p == b->bytes + b->size);
  *to = s;
  put(to, c->literals[END_OF_BLOCK], c->literal_lengths[END_OF_BLOCK]);
}

void block_write(stream *s, const block *b, bool final) {
  make_plan(&best, b);
  u8 *end = s->at + (s->pending_bits + best.bits + 7) / 8;
  CHECK(end + sizeof s->pending <= s->limit);
  if (best.way == STORED) {
    write_stored(s, b, final);
  } else {
    put(s, final, 1);
    put(s, best.way, 2);
    if (best.way == DYNAMIC) write_header(s, &best.header);
    write_body(s, b, &best.code);
  }
  CHECK(s->at <= end);
}
