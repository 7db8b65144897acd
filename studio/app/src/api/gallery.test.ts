import { expect, test } from '@playwright/test';

import { readPlace, writePlace } from './gallery.ts';

test('a place comes back from its word, whatever is in its key', () => {
  const place = { file: 'ab.png', binding: 'a/b c', job: '', key: '["x","ü/%"]', output: 'card' };
  expect(readPlace(writePlace(place))).toEqual(place);
});

test('an address that somebody changed is no place', () => {
  for (const text of [undefined, '', 'a/b', '////', 'a/b/c/d/%E0%A4%A']) expect(readPlace(text)).toBeNull();
});
