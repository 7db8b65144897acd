import { expect, test } from '@playwright/test';

import { farWords, paceWords, statusLevels, statuses, statusWords } from './words.ts';

const job = { status: 'processing', totalItems: 500, completedItems: 309, failedItems: 3, ratePerSecond: 12.3, etaSeconds: 125 } as const;

test('how far a job is', () => {
  expect(farWords(job)).toBe('312 of 500 rows, 3 failed');
  expect(farWords({ ...job, completedItems: 500, failedItems: 0 })).toBe('500 rows');
  expect(farWords({ ...job, totalItems: 1, completedItems: 0, failedItems: 1 })).toBe('1 row, 1 failed');
});

test('how fast it goes, only while it goes', () => {
  expect(paceWords(job)).toBe('12 rows a second, 2 min 5 s left');
  expect(paceWords({ ...job, ratePerSecond: 0.4, etaSeconds: null })).toBe('0.4 rows a second');
  expect(paceWords({ ...job, status: 'partial' })).toBe('');
});

test('every state has a word and a shape', () => {
  for (const s of statuses) {
    expect(statusWords[s]).toBeTruthy();
    expect(statusLevels[s]).toBeTruthy();
  }
});
