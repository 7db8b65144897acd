import { expect, test } from '@playwright/test';

import type { DocNode } from '../model.ts';
import { nodeAt, offsetAt, spanOf } from './places.ts';

const text = '<a>\n  <b>\n</a>';

test('a line and a column are an offset', () => {
  expect(offsetAt(text, 1, 1)).toBe(0);
  expect(offsetAt(text, 2, 3)).toBe(6);
  expect(offsetAt(text, 1, 99)).toBe(3);
  expect(offsetAt(text, 9)).toBe(text.length);
});

test('a fault without an end is the word that begins there', () => {
  expect(spanOf(text, { line: 2, column: 3, message: '' })).toEqual({ from: 6, to: 8 });
  expect(spanOf(text, { line: 2, column: 3, endLine: 2, endColumn: 6, message: '' })).toEqual({ from: 6, to: 9 });
  expect(spanOf(text, { message: '' })).toBeUndefined();
});

test('the innermost node is found', () => {
  const node = (address: string, span: [number, number]) => ({ address, span }) as DocNode;
  const nodes = [node('page', [0, 100]), node('group', [10, 50]), node('text', [20, 30]), node('last', [60, 70])];
  expect(nodeAt(nodes, 25)?.address).toBe('text');
  expect(nodeAt(nodes, 40)?.address).toBe('group');
  expect(nodeAt(nodes, 55)?.address).toBe('page');
  expect(nodeAt(nodes, 101)).toBeUndefined();
});
