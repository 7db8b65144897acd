import { expect, test } from '@playwright/test';

import type { Experiment, Stats } from '../../api/experiments.ts';
import { chanceWords, conditionWords, differs, gatesOf, leaderOf, liftWords, looksWon, rateWords, verdictOf } from './words.ts';

const stats = (exposures: number, conversions: number, more: Partial<Stats> = {}): Stats => ({ fetches: exposures, exposures, suspects: 0, failures: 0, clicks: conversions, conversions, impressions: 0, views: 0, rate: exposures ? conversions / exposures : null, ci95: null, probabilityBest: null, expectedLoss: null, lift: null, liftInterval: null, p: null, ...more });

/** two is 200 of 10,000 against 260 of 10,000: the case that looks won, and is not yet. */
const two = (more: Partial<Experiment> = {}): Experiment => ({
  id: 'exp_1', uid: 'exp_1', revision: 1, status: 'running', name: 'Cards', slug: 'cards', type: 'ab_test', goalConfig: { type: 'click_through' }, origin: 'api', createdAt: '', updatedAt: '',
  startedAt: '2026-11-01T00:00:00Z', endedAt: null, ranDays: 10, readySince: null, readOnly: false, writeKey: 'wk_1', srm: { p: 0.8, ok: true, expected: [10_000, 10_000] }, excluded: { bots: 0, prefetch: 0, duplicates: 0, repeats: 0, unassigned: 0, mismatches: 0 }, minimumRunDays: 7, minimumSampleSize: 1000, confidenceThreshold: 0.95, urls: { image: '', unitImage: '', click: '', pixel: '', events: '' },
  variants: [
    { id: 'a', name: 'Plain', templateUid: 't', weight: 5000, currentWeight: 5000, isDefault: true, stats: stats(10_000, 200, { probabilityBest: 0.0023 }) },
    { id: 'b', name: 'Bold', templateUid: 't', weight: 5000, currentWeight: 5000, stats: stats(10_000, 260, { probabilityBest: 0.9977, lift: 0.3, liftInterval: [-0.078, 0.678] }) },
  ],
  decision: { verdict: 'running', ready: false, reasons: [], daysLeft: null, neededPerVariant: 1000 }, ...more,
});

test('what looks won and is not yet is not called a winner', () => {
  const e = two();
  expect(leaderOf(e)?.id).toBe('b');
  expect(looksWon(e)?.id).toBe('b');
  expect(differs(e, leaderOf(e)!)).toBe(false);
  expect(verdictOf(e)).toEqual({ level: 'busy', word: 'Undecided', sentence: 'Bold is ahead, and that can still be chance.' });
  expect(gatesOf(e).map((g) => g.met)).toEqual([true, true, true, true, false]);
});

test('a winner is said with how much it wins by at least', () => {
  const e = two({ decision: { verdict: 'winner_ready', ready: true, reasons: [], suggestedWinner: 'b', daysLeft: null, neededPerVariant: 1000 } });
  e.variants[1]!.stats.liftInterval = [0.08, 0.52];
  expect(verdictOf(e).sentence).toBe('Bold wins: +30\u00a0% against Plain, and at least +8.0\u00a0%.');
  expect(looksWon(e)).toBeUndefined();
  expect(gatesOf(e).every((g) => g.met)).toBe(true);
});

test('gates say how far each is, and never more than there is', () => {
  const e = two({ ranDays: 2, srm: { p: 1e-9, ok: false, expected: [] } });
  e.variants[0]!.stats = stats(312, 4);
  const [days, people, conversions, split] = gatesOf(e);
  expect(days).toMatchObject({ met: false, have: '2 of 7' });
  expect(people).toMatchObject({ met: false, have: '312 of 1,000' });
  expect(conversions).toMatchObject({ met: false, have: '4 of 40', share: 0.1 });
  expect(split!.met).toBe(false);
});

test('no visitors, a draft and a decided one have sentences of their own', () => {
  const e = two();
  for (const v of e.variants) v.stats = stats(0, 0);
  expect(verdictOf(e).sentence).toBe('Nobody has seen it yet.');
  expect(verdictOf(two({ status: 'draft' })).word).toBe('Draft');
  expect(verdictOf(two({ status: 'completed', winner: 'b' })).sentence).toBe('Everybody gets Bold, for ever.');
});

test('numbers are as exact as they can be read', () => {
  expect([rateWords(0.0213), rateWords(0.213), rateWords(0), rateWords(null)]).toEqual(['2.13\u00a0%', '21.3\u00a0%', '0\u00a0%', '–']);
  expect([liftWords(0.3), liftWords(-0.078), liftWords(0)]).toEqual(['+30\u00a0%', '−7.8\u00a0%', '0.0\u00a0%']);
  expect([chanceWords(0.99977), chanceWords(0.9977), chanceWords(0.61), chanceWords(1)]).toEqual(['over 99.9\u00a0%', '99.8\u00a0%', '61\u00a0%', '100.0\u00a0%']);
});

test('conditions are sentences', () => {
  const mobile = { type: 'rule' as const, property: 'device', operator: 'equals', value: 'mobile' };
  const place = { type: 'group' as const, operator: 'OR' as const, children: [{ type: 'rule' as const, property: 'country', operator: 'in', value: ['DE', 'AT'] }, { type: 'rule' as const, property: 'custom.plan', operator: 'equals', value: 'gold' }] };
  expect(conditionWords({ type: 'group', operator: 'AND', children: [mobile, place] })).toBe('device is mobile and (country is one of DE, AT or plan is gold)');
  expect(conditionWords(null)).toBe('always');
});
