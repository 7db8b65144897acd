import { expect, test } from '@playwright/test';

import type { Experiment } from '../../../api/experiments.ts';
import { add, changesOf, definitionOf, draftOf, drop, fresh, idsOf, put, slugOf } from './draft.ts';

const sum = (d: ReturnType<typeof fresh>) => d.variants.reduce((n, v) => n + v.weight, 0);

test('a slug is made of a name, as addresses have it', () => {
  expect(slugOf('Größe & Preis: 20 % off!')).toBe('gro-e-preis-20-off');
  expect(slugOf('Café Été')).toBe('cafe-ete');
  expect(slugOf(`${'long '.repeat(30)}`)).toHaveLength(59);
});

test('variants come and go, and weights stay whole', () => {
  let d = fresh('card');
  d = add(d);
  expect(d.variants.map((v) => [v.name, v.templateUid, v.weight])).toEqual([['A', 'card', 3334], ['B', 'card', 3333], ['C', 'card', 3333]]);
  d = drop(d, d.variants[0]!.key);
  expect(d.variants.map((v) => [v.name, v.control])).toEqual([['B', true], ['C', false]]);
  expect(sum(d)).toBe(10_000);
  expect(sum(add(add(d, d.variants[0])))).toBe(10_000);
});

test('ids follow names, differ, and stay', () => {
  expect(idsOf([{ id: 'plain', name: 'Other' }, { id: '', name: 'Plain' }, { id: '', name: '!' }])).toEqual(['plain', 'plain-2', 'variant-3']);
});

test('what is not given is not sent', () => {
  let d = { ...fresh('card'), name: ' Cards ', slug: 'cards', confidence: '97,5', minimumRunDays: '3' };
  d = put(d, d.variants[1]!.key, { theme: 'dark', variables: { title: 'Bold' } });
  expect(definitionOf(d)).toEqual({
    name: 'Cards', slug: 'cards', type: 'ab_test', goalConfig: { type: 'click_through' }, coverage: 10_000, confidenceThreshold: 0.975, minimumRunDays: 3, rollout: 'manual', outputConfig: { format: 'png' },
    variants: [{ id: 'a', name: 'A', templateUid: 'card', weight: 5000, isDefault: true }, { id: 'b', name: 'B', templateUid: 'card', theme: 'dark', variables: { title: 'Bold' }, weight: 5000 }],
  });
});

test('of what runs only that is sent which may change, and did', () => {
  const e = { status: 'running', name: 'Cards', slug: 'cards', type: 'ab_test', coverage: 5000, minimumRunDays: 7, goalConfig: { type: 'click_through', destinationUrl: 'https://a.example' }, variants: [{ id: 'a', templateUid: 't', weight: 10_000, isDefault: true }] } as Experiment;
  const d = draftOf(e);
  expect(changesOf({ ...d, coverage: 8000, name: 'New' }, e)).toEqual({ name: 'New', minimumRunDays: 7, coverage: 8000 });
  expect(changesOf({ ...d, goal: { ...d.goal, destinationUrl: 'https://b.example' } }, e)).toEqual({ name: 'Cards', minimumRunDays: 7, goalConfig: { destinationUrl: 'https://b.example' } });
});
