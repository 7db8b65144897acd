import { expect, test } from '@playwright/test';

import { type EndedRow, inOrder, patched, unbroken } from './rows.ts';

const row = (index: number, success = true) => ({ index, key: `k${index}`, success }) as EndedRow;
const indexes = (rows: EndedRow[]) => rows.map((r) => r.index);

test('results and errors are one list by index', () => {
  const page = { results: [row(0), row(3)], errors: [row(1, false), row(2, false)] } as unknown as Parameters<typeof inOrder>[0];
  expect(indexes(inOrder(page))).toEqual([0, 1, 2, 3]);
});

test('what is read anew takes the place of what was there', () => {
  const rows = [row(0), row(1, false), row(2), row(9)];
  const read = [row(1), row(3)];
  const next = patched(rows, read, 0, 8);
  expect(indexes(next)).toEqual([0, 1, 3, 9]);
  expect(next[1]!.success).toBe(true);
});

test('rows have ended without a hole up to an index', () => {
  expect(unbroken([row(0), row(1), row(3)])).toBe(1);
  expect(unbroken([row(1)])).toBe(-1);
  expect(unbroken([])).toBe(-1);
});
