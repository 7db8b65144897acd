// Small things that only show something.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Failure } from '../api/client.ts';
import { ago } from './words.ts';

export type Level = 'ok' | 'busy' | 'warn' | 'error' | 'paused' | 'quiet';

/** A Mark is a state: a shape, a colour and a word. */
export function Mark({ level, children }: { level: Level; children: ComponentChildren }) {
  return <span class="level" data-level={level}>{children}</span>;
}

/** now ticks each second while somebody looks. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** When is a time, as how long ago it was; hovering it says it in local time and UTC. */
export function When({ time }: { time: string | null | undefined }) {
  if (!time) return <span class="soft">never</span>;
  const date = new Date(time);
  return <time dateTime={time} title={`${date.toLocaleString()} (${date.toISOString().replace(/\.\d+Z$/, 'Z')})`}>{ago(date, Math.max(now.value, date.getTime() < Date.now() ? 0 : now.value))}</time>;
}

/** Trouble is what went wrong: what, where, why and the next step. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  const failure = error instanceof Failure ? error : new Failure(0, 'unexpected', error instanceof Error ? error.message : String(error));
  return (
    <div class="note" data-level="error" role="alert">
      <p><strong>{failure.detail}</strong></p>
      {failure.errors.slice(0, 20).map((e) => <p key={`${e.field}${e.message}`}>{e.field && <code>{e.field}: </code>}{e.message}</p>)}
      {failure.errors.length > 20 && <p>… and {failure.errors.length - 20} more</p>}
      {failure.hint && <p class="soft">{failure.hint}</p>}
      {again && <p><button type="button" class="button" onClick={again}>Try again</button></p>}
    </div>
  );
}

/** Note is a warning or a word beside something. */
export function Note({ level, children }: { level?: 'warn' | 'error'; children: ComponentChildren }) {
  return <div class="note" data-level={level}>{children}</div>;
}

/** Bar shows shares of a whole; label says the same in words. */
export function Bar({ parts, label }: { parts: { part: 'done' | 'left' | 'failed'; n: number }[]; label: string }) {
  return (
    <div class="bar" role="img" aria-label={label} title={label}>
      {parts.filter((p) => p.n > 0).map((p) => <span key={p.part} data-part={p.part} style={{ flex: `${p.n} 1 0` }} />)}
    </div>
  );
}

/** Copy puts a text on the clipboard, and says that it did. */
export function Copy({ text, children = 'Copy' }: { text: string; children?: ComponentChildren }) {
  const [said, say] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say('Copied');
    } catch {
      say('Select and copy it by hand');
    }
    setTimeout(() => say(''), 1500);
  };
  return <button type="button" class="button" onClick={copy}><span aria-live="polite">{said || children}</span></button>;
}

/** Empty is a list without anything yet: why, and the one command to begin. */
export function Empty({ title, children, command }: { title: string; children?: ComponentChildren; command?: string }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
      {command && <div class="command"><pre tabIndex={0}><code>{command}</code></pre><Copy text={command} /></div>}
    </div>
  );
}
