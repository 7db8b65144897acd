#include "huffman.h"

enum { MAX_DEPTH = 32 };

typedef struct {
  u32 frequency;
  u16 symbol;
} leaf;

// collect lists the symbols that occur, rarest first, and at least two.
static u32 collect(const u32 *frequencies, u32 count, leaf *leaves) {
  u32 n = 0;
  for (u32 s = 0; s < count; s++)
    if (frequencies[s]) leaves[n++] = (leaf){frequencies[s], (u16)s};
  for (u32 s = 0; n < 2; s++)
    if (!frequencies[s]) leaves[n++] = (leaf){1, (u16)s};
  for (u32 gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
    for (u32 i = gap; i < n; i++) {
      leaf x = leaves[i];
      u32 j = i;
      for (; j >= gap && leaves[j - gap].frequency > x.frequency; j -= gap) leaves[j] = leaves[j - gap];
      leaves[j] = x;
    }
  return n;
}

// make_depths counts how many of the n leaves are at each depth of the tree of
// least cost: Moffat and Katajainen's way, in place in one array, which holds
// in turn weights, parents and depths.
static void make_depths(const leaf *leaves, u32 n, u32 *counts) {
  static u32 node[MAX_SYMBOLS];
  for (u32 i = 0; i < n; i++) node[i] = leaves[i].frequency;
  u32 root = 0, next_leaf = 0;
  for (u32 next = 0; next < n - 1; next++) {
    u32 weight = 0;
    for (int child = 0; child < 2; child++) {
      if (next_leaf >= n || (root < next && node[root] < node[next_leaf])) {
        weight += node[root];
        node[root++] = next;
      } else {
        weight += node[next_leaf++];
      }
    }
    node[next] = weight;
  }
  node[n - 2] = 0;
  for (u32 i = n - 2; i-- > 0;) node[i] = node[node[i]] + 1;

  // At each depth, what is no inner node is a leaf.
  u32 inner = n - 1, room = 1;
  for (u32 depth = 0; room > 0; depth++) {
    u32 here = 0;
    while (inner > 0 && node[inner - 1] == depth) inner--, here++;
    counts[min32(depth, MAX_DEPTH)] += room - here;
    room = 2 * here;
  }
}

// limit_depths lifts leaves that are deeper than limit, and pays for it by
// lowering others, until the code is complete again.
static void limit_depths(u32 *counts, u32 limit) {
  u32 used = 0;
  for (u32 d = limit + 1; d <= MAX_DEPTH; d++) counts[limit] += counts[d], counts[d] = 0;
  for (u32 d = 1; d <= limit; d++) used += counts[d] << (limit - d);
  for (; used > 1u << limit; used--) {
    u32 d = limit - 1;
    while (counts[d] == 0) d--;
    CHECK(d > 0);
    counts[limit]--;
    counts[d]--;
    counts[d + 1] += 2;
  }
}

void make_lengths(const u32 *frequencies, u32 count, u32 limit, u8 *lengths) {
  static leaf leaves[MAX_SYMBOLS];
  CHECK(count >= 2 && count <= MAX_SYMBOLS && limit <= 15);
  u32 counts[MAX_DEPTH + 1] = {0};
  u32 n = collect(frequencies, count, leaves);
  make_depths(leaves, n, counts);
  limit_depths(counts, limit);
  __builtin_memset(lengths, 0, count);
  for (u32 d = 1; d <= limit; d++)
    for (u32 i = counts[d]; i > 0; i--) lengths[leaves[--n].symbol] = (u8)d;
  CHECK(n == 0);
}

void make_codes(const u8 *lengths, u32 count, u16 *codes) {
  u32 next[16] = {0}, counts[16] = {0}, code = 0;
  for (u32 s = 0; s < count; s++) counts[lengths[s]]++;
  counts[0] = 0;
  for (u32 d = 1; d < 16; d++) next[d] = code = (code + counts[d - 1]) << 1;
  for (u32 s = 0; s < count; s++) {
    u32 straight = lengths[s] ? next[lengths[s]]++ : 0, reversed = 0;
    for (u32 i = 0; i < lengths[s]; i++, straight >>= 1) reversed = reversed << 1 | (straight & 1);
    codes[s] = (u16)reversed;
  }
}
