import { expect, test } from '@playwright/test';

import { replaced } from './texts.ts';

test('the expression at a place changes, and nothing else', () => {
  expect(replaced('Hello {{ name }}, {{ price | currency }}!', 1, 'price * 2')).toBe('Hello {{ name }}, {{ price * 2 }}!');
  expect(replaced('{{ a }}{{ b }}', 0, 'c')).toBe('{{ c }}{{ b }}');
  expect(replaced('plain', 0, 'c')).toBe('plain');
});

test('braces in quotes do not end an expression', () => {
  expect(replaced('{{ a + "}}" }} {{ b }}', 1, 'c')).toBe('{{ a + "}}" }} {{ c }}');
});

test('a block keeps its words', () => {
  expect(replaced('{{ if sale }}{{ price }}{{ else }}{{ full }}{{ end }}', 0, 'not sale')).toBe('{{ if not sale }}{{ price }}{{ else }}{{ full }}{{ end }}');
  expect(replaced('{{ if sale }}{{ price }}{{ else }}{{ full }}{{ end }}', 2, 'list')).toBe('{{ if sale }}{{ price }}{{ else }}{{ list }}{{ end }}');
});
