import { expect, test } from '@playwright/test';

import { equal, joined, reweigh, spread, whole, without } from './weights.ts';

const sum = (weights: number[]) => weights.reduce((a, b) => a + b, 0);

test('equal weights sum to the whole, whatever their number', () => {
  expect(equal(2)).toEqual([5000, 5000]);
  expect(equal(3)).toEqual([3334, 3333, 3333]);
  expect(Array.from({ length: 30 }, (_, n) => sum(equal(n + 1))).every((n) => n === whole)).toBe(true);
});

test('the others give in proportion', () => {
  expect(reweigh([5000, 5000], 0, 9000)).toEqual([9000, 1000]);
  expect(reweigh([5000, 3000, 2000], 0, 7500)).toEqual([7500, 1500, 1000]);
  expect(reweigh([10_000, 0, 0], 0, 4000)).toEqual([4000, 3000, 3000]);
});

test('what somebody has set is left alone as long as it can be', () => {
  expect(reweigh([6000, 2000, 2000], 1, 3000, new Set([0]))).toEqual([6000, 3000, 1000]);
  expect(reweigh([6000, 2000, 2000], 1, 8000, new Set([0]))).toEqual([1500, 8000, 500]);
  expect(reweigh([6000, 2000, 2000], 2, 1000, new Set([0, 1]))).toEqual([6750, 2250, 1000]);
});

test('they sum to the whole after any change', () => {
  let weights = [2500, 2500, 2500, 2500];
  const seen = new Set<number>(), least = new Set<boolean>();
  for (let i = 0; i < 400; i++) {
    weights = reweigh(weights, i % 4, (i * 7919) % 12_000, new Set([(i + 1) % 4]));
    seen.add(sum(weights));
    least.add(Math.min(...weights) >= 0);
  }
  expect([...seen]).toEqual([whole]);
  expect([...least]).toEqual([true]);
  expect(sum(without([3334, 3333, 3333], 1))).toBe(whole);
  expect(joined([5000, 5000])).toEqual([3334, 3333, 3333]);
  expect(spread(10, [0, 0, 0])).toEqual([4, 3, 3]);
});
