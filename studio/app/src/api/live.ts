// What the daemon tells as it happens: one stream of server-sent events for all
// that a page shows, with a mark that says whether it is live.

import { computed, effect, signal } from '@preact/signals';

import { get, signedOut } from './client.ts';
import type { Overview } from './types.ts';

export type Liveness = 'connecting' | 'live' | 'paused' | 'lost';

const connection = signal<'connecting' | 'live' | 'lost'>('connecting');

/** paused holds back what comes, so that a person can read what is there. */
export const paused = signal(false);
export const liveness = computed<Liveness>(() => (connection.value === 'lost' ? 'lost' : paused.value ? 'paused' : connection.value));

const newest = signal<Overview | null>(null);
const shown = signal<Overview | null>(null);

/** overview is the newest state of the daemon, or of when it was paused; null before the first. */
export const overview = computed(() => shown.value);

effect(() => {
  if (!paused.value) shown.value = newest.value;
});

/** changes counts the states that came: whoever shows a list of its own reads it again with each. */
export const changes = computed(() => (shown.value ? stamp.value : 0));
const stamp = signal(0);

let events: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;

/** connect follows the daemon for as long as the page is open. */
export function connect(): void {
  clearTimeout(retry);
  events?.close();
  const mine = new EventSource('/events');
  events = mine;
  mine.addEventListener('open', () => (connection.value = 'live'));
  mine.addEventListener('state', (e) => {
    connection.value = 'live';
    newest.value = JSON.parse((e as MessageEvent<string>).data) as Overview;
    if (!paused.value) stamp.value++;
  });
  mine.addEventListener('error', () => {
    connection.value = 'lost';
    if (mine.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    void get('/session').catch(() => undefined); // a key that has ended is told by signedOut
    retry = setTimeout(connect, 3000);
  });
}

// Whoever gave a key again goes on where the page stood.
let out = false;
effect(() => {
  const now = signedOut.value;
  if (out && !now && events) connect();
  out = now;
});
