import { expect, test } from '@playwright/test';

import type { Process } from '../../api/ops.ts';
import { alone, fleetWords, handParts, heardWords, isOther, roleWords, stateLevels, stateWords } from './fleet.ts';

const at = '2026-05-04T12:00:10Z';
const of = (place: string, more: Partial<Process> = {}): Process => ({
  place, state: 'well', roles: ['render'], version: '1.2', address: '', holder: false, since: '2026-05-04T10:00:00Z', heardAt: '2026-05-04T12:00:09Z',
  inHand: { turns: 0, renders: 0, deliveries: 0 }, ...more,
});
const holder = of('pid 7 on a', { holder: true, roles: ['connect'] });
const gone = of('pid 5 on c', { state: 'gone', version: '1.1', heardAt: null, goneAt: '2026-05-04T11:59:00Z' });

test('one process is alone, unless another one was put out lately', () => {
  expect(alone([holder])).toBe(holder);
  expect(alone([holder, of('pid 9 on b')])).toBeUndefined();
  expect(alone([holder, gone])).toBeUndefined();
  expect(alone([])).toBeUndefined();
});

test('how many there are, and which one holds the ledger', () => {
  expect(fleetWords([holder, of('pid 9 on b'), gone])).toBe('2 processes at work on this ledger; pid 7 on a holds it.');
  expect(fleetWords([holder, gone])).toBe('1 process at work on this ledger; pid 7 on a holds it.');
  expect(fleetWords([of('pid 9 on b')])).toContain('nobody holds it');
});

test('all roles have one word', () => {
  expect(roleWords(of('a', { roles: ['api', 'connect', 'render', 'deliver'] }))).toBe('all');
  expect(roleWords(of('a', { roles: ['api', 'render'] }))).toBe('api, render');
});

test('the last sign of life is told as of the answer, not of now', () => {
  expect(heardWords(of('a'), at)).toBe('1 s ago');
  expect(heardWords(of('a', { heardAt: '2026-05-04T12:00:09.400Z' }), at)).toBe('now');
  expect(heardWords(of('a', { heardAt: '2026-05-04T12:00:11Z' }), at)).toBe('now');
  expect(heardWords(of('a', { heardAt: '2026-05-04T12:00:03Z' }), at)).toBe('7 s ago');
  expect(heardWords(gone, at)).toBe('nobody can say');
});

test('another version than that of the holder is marked while it is at work', () => {
  const newer = of('pid 9 on b', { version: '1.3' });
  expect([holder, newer, gone].map((p) => isOther(p, [holder, newer, gone]))).toEqual([false, true, false]);
  expect(isOther(newer, [newer])).toBe(false);
});

test('what is in hand leads to its list', () => {
  expect(handParts(of('a'))).toEqual([]);
  expect(handParts(of('a', { inHand: { turns: 2, renders: 120, deliveries: 1 } }))).toEqual([
    { words: '120 pictures', link: '/studio/jobs' }, { words: '1 delivery', link: '/studio/deliveries' },
  ]);
});

test('every state has a word and a shape', () => {
  for (const state of ['well', 'late', 'gone'] as const) {
    expect(stateWords[state]).toMatch(/^[A-Z]/);
    expect(stateLevels[state]).toBeTruthy();
  }
});
