import { expect, test } from '@playwright/test';

import { nearest, place, runs, spanOf, ticks, timeTicks } from './scale.ts';

test('ticks are round, inside, and no more than asked for', () => {
  expect(ticks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks([0.031, 0.068], 4)).toEqual([0.04, 0.05, 0.06]);
  expect(ticks([0, 7], 4)).toEqual([0, 2, 4, 6]);
  expect(ticks([-0.2, 0.7], 5)).toEqual([-0.2, 0, 0.2, 0.4, 0.6]);
});

test('a span holds what is a number, and is never empty', () => {
  expect(spanOf([3, null, 7, undefined, NaN])).toEqual([3, 7]);
  expect(spanOf([])).toEqual([0, 1]);
  expect(spanOf([0.5, 0.5], { zero: true })).toEqual([0, 0.5]);
  expect(spanOf([0, 0], { zero: true })).toEqual([0, 1]);
  expect(spanOf([4, 4])).toEqual([4, 8]);
});

test('values are placed by share, also upside down', () => {
  expect(place(5, [0, 10], 0, 200)).toBe(100);
  expect(place(10, [0, 10], 300, 20)).toBe(20);
  expect(place(3, [3, 3], 7, 9)).toBe(7);
});

test('time ticks stand at midnights of the wall clock', () => {
  const from = Date.UTC(2026, 10, 1, 7), to = Date.UTC(2026, 10, 9);
  const { at, step } = timeTicks([from, to], 8);
  expect(step).toBe(86_400_000);
  expect(at[0]).toBe(Date.UTC(2026, 10, 2));
  expect(at).toHaveLength(8);
  const berlin = timeTicks([from, to], 8, 3_600_000);
  expect(berlin.at[0]).toBe(Date.UTC(2026, 10, 1, 23));
});

test('the nearest point is found, and gaps part a line', () => {
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 99)).toBe(2);
  expect(runs([null, 1, 2, null, 3])).toEqual([{ from: 1, items: [1, 2] }, { from: 4, items: [3] }]);
});
