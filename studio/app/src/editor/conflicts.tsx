// What two people changed at once: both sides, and which of them shall stand.

import { Dialog } from '../ui/dialog.tsx';
import { capital } from '../ui/words.ts';
import type { Doc } from './document.ts';
import { authorOf, type Op } from './model.ts';

/** inWords is an operation as somebody reads it. */
export function inWords(op: Op | null): string {
  if (!op) return 'The whole document was replaced.';
  const { op: name, id, ids, ...rest } = op;
  const what = Object.entries(rest).map(([key, value]) => `${key} ${value === null ? 'taken away' : typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ');
  return `${name.replaceAll('_', ' ')} ${Array.isArray(ids) ? ids.join(', ') : typeof id === 'string' ? id : ''}${what && `: ${what}`}`;
}

export function Conflicts({ doc }: { doc: Doc }) {
  const { value: conflict } = doc.conflict;
  if (!conflict) return null;
  const theirs = capital(authorOf(conflict.clashes[0]?.by));
  return (
    <Dialog title={`${theirs} changed the same meanwhile`} wide={conflict.source !== undefined} close={() => undefined}>
      <p>“{conflict.label}” was not saved, and nothing was overwritten. The canvas shows the newest, with theirs in it.</p>
      {conflict.clashes.map((c) => (
        <dl class="facts" key={c.touched}>
          <dt>Changed by both</dt><dd><code>{c.touched}</code></dd>
          <dt>Yours</dt><dd>{inWords(c.yours)}</dd>
          <dt>Theirs ({authorOf(c.by)}, revision {c.by.revision})</dt><dd>{inWords(c.theirs)}</dd>
        </dl>
      ))}
      {conflict.source && (
        <div class="editor-both">
          <div><h3>Your text</h3><pre tabIndex={0}>{conflict.source.yours}</pre></div>
          <div><h3>Theirs</h3><pre tabIndex={0}>{conflict.source.theirs}</pre></div>
        </div>
      )}
      <div class="actions">
        <button type="button" class="button" onClick={() => doc.decide(false)}>Keep theirs</button>
        <button type="button" class="button strong" onClick={() => doc.decide(true)}>{conflict.source ? 'Replace theirs with mine' : 'Put mine on top'}</button>
      </div>
    </Dialog>
  );
}
