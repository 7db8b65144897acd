import { expect, test } from '@playwright/test';

import { put, type Schema, shapeOf } from './shape.ts';

const text: Schema = { type: ['string', 'number', 'boolean', 'null'] };
const cases: [string, Schema, unknown][] = [
  ['a text that may also be a number', text, { kind: 'text' }],
  ['a duration', { type: ['string', 'number', 'null'], default: '30s' }, { kind: 'text' }],
  ['a whole number that may be a ${VARIABLE}', { type: ['integer', 'string', 'null'] }, { kind: 'number' }],
  ['yes or no', { type: ['boolean', 'string', 'null'] }, { kind: 'switch' }],
  ['a secret', { ...text, writeOnly: true, format: 'password' }, { kind: 'secret' }],
  ['one of some words', { anyOf: [{ enum: ['csv', 'tsv'] }, { type: 'string' }, { type: 'null' }] }, { kind: 'choice', choices: ['csv', 'tsv'] }],
  ['one text or several', { anyOf: [text, { type: ['array', 'null'], items: text }] }, { kind: 'list', choices: undefined }],
  ['some of some words', { anyOf: [{ anyOf: [{ enum: ['a', 'b'] }] }, { type: ['array', 'null'], items: { anyOf: [{ enum: ['a', 'b'] }] } }] }, { kind: 'list', choices: ['a', 'b'] }],
  ['names and texts', { type: ['object', 'null'], additionalProperties: text }, { kind: 'pairs' }],
  ['rows of anything', { type: ['array'], items: { type: 'object' } }, { kind: 'json' }],
  ['anything', {}, { kind: 'json' }],
  ['the word of the kind', { const: 'http' }, { kind: 'fixed' }],
];

for (const [name, schema, want] of cases) test(`${name} is shown as what it is`, () => expect(shapeOf(schema)).toEqual(want));

test('an empty field is none', () => {
  expect(put({ a: 1, b: 2 }, 'a', '')).toEqual({ b: 2 });
  expect(put({ a: 1 }, 'b', false)).toEqual({ a: 1, b: false });
});
