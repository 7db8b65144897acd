import { expect, test } from '@playwright/test';

import { onTop, spliced, spliceOf } from './merge.ts';

test('a splice turns one text into the other', () => {
  for (const [a, b] of [['abc', 'abXc'], ['aaa', 'aa'], ['', 'x'], ['x', ''], ['abcabc', 'abcXabc'], ['left: 10px', 'left: 120px']] as const) expect(spliced(a, spliceOf(a, b)!)).toBe(b);
  expect(spliceOf('same', 'same')).toBeUndefined();
});

test('changes of other places come on top of mine, before and behind', () => {
  const base = 'one two three';
  const mine = spliceOf(base, 'one TWO three')!;
  for (const theirs of ['ONE two three', 'one two three four']) {
    const merged = spliced(spliced(base, mine), onTop(mine, spliceOf(base, theirs)!)!);
    expect(merged).toContain('TWO');
    expect(merged).toBe(theirs.replace('two', 'TWO'));
  }
});

test('changes of the same place are told apart', () => {
  const base = 'one two three';
  expect(onTop(spliceOf(base, 'one 2 three'), spliceOf(base, 'one zwei three')!)).toBeUndefined();
  expect(onTop(spliceOf('ab', 'aXb'), spliceOf('ab', 'aYb')!)).toBeUndefined();
});
