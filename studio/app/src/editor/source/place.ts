// Where in the source somebody asked to be taken, from another panel.

import { signal } from '@preact/signals';

import { tabs } from '../registry.ts';

/** wanted is a place in the source that somebody wants to see; the source panel goes there and empties it. */
export const wanted = signal<{ from: number; to: number } | null>(null);

/** toSource opens the source at a place. */
export function toSource(from: number, to: number): void {
  wanted.value = { from, to };
  tabs.strip.value = 'Source';
}
