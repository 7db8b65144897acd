import { expect, test } from '@playwright/test';

import { merged } from './paged.ts';

const same = (id: string) => id;

test('what is new stands before the rest', () => {
  expect(merged(['d', 'c'], ['c', 'b', 'a'], same)).toEqual(['d', 'c', 'b', 'a']);
});

test('what was made anew moves to its new place, once', () => {
  expect(merged(['a', 'c'], ['c', 'b', 'a'], same)).toEqual(['a', 'c', 'b']);
});

test('a page that does not reach what is there is a gap', () => {
  expect(merged(['z', 'y'], ['c', 'b'], same)).toBeNull();
});

test('the first page of a list that was empty is all of it', () => {
  expect(merged(['a'], [], same)).toEqual(['a']);
  expect(merged([], [], same)).toEqual([]);
});
