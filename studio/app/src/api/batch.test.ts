import { expect, test } from '@playwright/test';

import { linesOf, tableOf, typeOf, reference } from './batch.ts';

test('JSON is rows, a line each', () => {
  expect(linesOf('[{"a":1},{"a":2}]')).toBe('{"a":1}\n{"a":2}');
  expect(linesOf('{"variables":[{"a":1}]}')).toBe('{"a":1}');
  expect(linesOf('{"a":1}')).toBeNull();
  expect(linesOf('a,b\n1,2')).toBeNull();
});

test('pasted text is a CSV, a table with tabs, or lines of JSON', () => {
  expect(typeOf('a,b\n1,2')).toBe('text/csv');
  expect(typeOf('a\tb\n1\t2')).toBe('text/tab-separated-values');
  expect(typeOf('{"a":1}\n{"a":2}')).toBe('application/x-ndjson');
  expect(tableOf('[{"a":1}]').type).toBe('application/x-ndjson');
});

test('a column is read by its name, or through $env where the name is none of the language', () => {
  expect(reference('price')).toBe('price');
  expect(reference('Unit Price')).toBe('$env["Unit Price"]');
  expect(reference('in')).toBe('$env["in"]');
  expect(reference('prix €')).toBe('$env["prix €"]');
});
