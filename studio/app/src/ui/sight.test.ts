import { expect, test } from '@playwright/test';

import { inSight } from './sight.ts';

test('a list of any length draws a bounded number of rows', () => {
  for (const top of [0, 5_000, 90_000, 99_000, 500_000]) {
    const { first, last } = inSight(1000, 100, top, 800);
    expect(last - first).toBeLessThanOrEqual(26);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(last).toBeLessThanOrEqual(1000);
  }
});

test('what is in sight is drawn', () => {
  const { first, last } = inSight(1000, 100, 5_000, 800);
  expect(first).toBeLessThanOrEqual(50);
  expect(last).toBeGreaterThanOrEqual(58);
});

test('an empty list draws nothing', () => {
  expect(inSight(0, 100, 0, 800)).toEqual({ first: 0, last: 0 });
});
