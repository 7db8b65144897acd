// Deliveries in words.

import type { Level } from '../../ui/show.tsx';

export const states = ['waiting', 'claimed', 'delivered', 'dead', 'superseded', 'discarded'] as const;

export const stateWords: Record<string, string> = {
  waiting: 'Waiting', claimed: 'Being sent', delivered: 'Delivered', dead: 'Dead letter', superseded: 'Superseded', discarded: 'Discarded',
};

export const stateLevels: Record<string, Level> = {
  waiting: 'quiet', claimed: 'busy', delivered: 'ok', dead: 'error', superseded: 'quiet', discarded: 'quiet',
};

/** sinkLink is the page of a sink; of the sinks of jobs and subscriptions there is none. */
export const sinkLink = (sink: string): string | null => (/^(sub|job|rows):|^(batch|batch_rows|subscriptions)$/.test(sink) ? null : `/studio/sinks/${encodeURIComponent(sink)}`);
