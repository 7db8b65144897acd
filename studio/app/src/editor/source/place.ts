// Where in the source somebody asked to be taken, from another panel.

import { signal } from '@preact/signals';

/** wanted is a place in the source that somebody wants to see; the source panel goes there and empties it. */
export const wanted = signal<{ from: number; to: number } | null>(null);
