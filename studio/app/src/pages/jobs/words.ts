// Jobs in words.

import type { Job } from '../../api/work.ts';
import type { Level } from '../../ui/show.tsx';
import { count, counted, span } from '../../ui/words.ts';

export const statuses = ['pending', 'processing', 'paused', 'completed', 'partial', 'failed', 'cancelled'] as const;
export type Status = (typeof statuses)[number];

export const statusWords: Record<Status, string> = {
  pending: 'Waiting', processing: 'Running', paused: 'Paused', completed: 'Complete', partial: 'Partly failed', failed: 'Failed', cancelled: 'Cancelled',
};

export const statusLevels: Record<Status, Level> = {
  pending: 'quiet', processing: 'busy', paused: 'paused', completed: 'ok', partial: 'warn', failed: 'error', cancelled: 'quiet',
};

type Standing = Pick<Job, 'status' | 'totalItems' | 'completedItems' | 'failedItems' | 'ratePerSecond' | 'etaSeconds'>;

export const isOver = (j: Pick<Job, 'status'>): boolean => j.status === 'completed' || j.status === 'partial' || j.status === 'failed' || j.status === 'cancelled';

/** farWords is how far a job is: "312 of 500, 3 failed". */
export function farWords(j: Standing): string {
  const done = j.completedItems + j.failedItems;
  const all = done === j.totalItems ? counted(j.totalItems, 'row') : `${count(done)} of ${counted(j.totalItems, 'row')}`;
  return j.failedItems > 0 ? `${all}, ${count(j.failedItems)} failed` : all;
}

/** paceWords is how fast it goes and how long it will take: "12.3 rows a second, 2 min left". */
export function paceWords(j: Standing): string {
  if (isOver(j) || j.ratePerSecond <= 0) return '';
  const rate = `${j.ratePerSecond >= 10 ? Math.round(j.ratePerSecond) : j.ratePerSecond} rows a second`;
  return j.etaSeconds === null ? rate : `${rate}, ${span(j.etaSeconds)} left`;
}
