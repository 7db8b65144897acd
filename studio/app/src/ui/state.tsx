// The words for how something goes.

import type { Health } from '../api/health.ts';
import { type Level, Mark } from './show.tsx';
import { span } from './words.ts';

const words: Record<Health, string> = { ok: 'Well', warn: 'Warning', error: 'Error', paused: 'Paused' };

/** State is a health word with its mark. */
export function State({ state }: { state: string | undefined }) {
  const level = (state ?? 'quiet') as Level;
  return <Mark level={level}>{words[level as Health] ?? 'Unknown'}</Mark>;
}

/** freshness says how current rows are: "fresh, 12 s ago" or "stale for 3 h, expected every 5 min". */
export function freshness(f: { state: string; lagSeconds: number | null; expectedSeconds: number } | null | undefined): string {
  if (!f) return 'unknown';
  if (f.lagSeconds === null) return 'never read';
  const expected = f.expectedSeconds > 0 ? `, expected every ${span(f.expectedSeconds)}` : '';
  const late = f.expectedSeconds > 0 && f.lagSeconds > 2 * f.expectedSeconds;
  return late ? `stale for ${span(f.lagSeconds)}${expected}` : `fresh, ${f.lagSeconds < 1 ? 'now' : `${span(f.lagSeconds)} ago`}`;
}

/** health orders states from worst to best. */
export const worst = (state: string | undefined): number => ['error', 'warn', 'paused', 'ok'].indexOf(state ?? 'ok');
