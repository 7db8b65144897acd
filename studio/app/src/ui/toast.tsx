// Short words about what was done, read out too; errors stay until they are closed.

import { signal } from '@preact/signals';

import { Failure } from '../api/client.ts';

interface Word {
  id: number;
  text: string;
  hint?: string;
  bad: boolean;
}

const words = signal<Word[]>([]);
let last = 0;

function add(text: string, bad: boolean, hint?: string): void {
  const word = { id: ++last, text, hint, bad };
  words.value = [...words.value.slice(-3), word];
  if (!bad) setTimeout(() => drop(word.id), 4000);
}

const drop = (id: number) => (words.value = words.value.filter((w) => w.id !== id));

/** toast says that something was done. */
export const toast = (text: string): void => add(text, false);

/** tell says what went wrong. */
export function tell(error: unknown): void {
  if (error instanceof Failure) add(error.detail, true, error.hint || error.errors[0]?.message);
  else add(error instanceof Error ? error.message : String(error), true);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {words.value.map((w) => (
        <div key={w.id} class="note" data-level={w.bad ? 'error' : undefined}>
          <p><strong>{w.text}</strong></p>
          {w.hint && <p class="soft">{w.hint}</p>}
          {w.bad && <button type="button" class="button" onClick={() => drop(w.id)}>Close</button>}
        </div>
      ))}
    </div>
  );
}
