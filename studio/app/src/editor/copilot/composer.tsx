// Where a message is written, with what goes along: the layers that are
// selected, the size and the theme in view, and the model that is asked.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { Failure } from '../../api/client.ts';
import { isReviewable } from '../../api/copilot.ts';
import { Select } from '../../ui/field.tsx';
import { Trouble } from '../../ui/show.tsx';
import type { Doc } from '../document.ts';
import { asked } from './open.ts';
import type { Pilot } from './pilot.ts';

export const suggestions = ['Make a dark-mode variant', 'Resize this for Instagram Story', 'Generate five backgrounds'];

export function Composer({ doc, pilot }: { doc: Doc; pilot: Pilot }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { value: message } = pilot.message, run = pilot.run.value, working = pilot.working.value, busy = pilot.busy.value;
  useEffect(() => {
    if (asked.value > 0) field.current?.focus();
    asked.value = 0;
  }, [asked.value]);
  const send = async (text: string) => {
    if (!text.trim() || working || busy) return;
    if (await pilot.start(text.trim())) pilot.message.value = '';
  };
  const key = (e: JSX.TargetedKeyboardEvent<HTMLTextAreaElement>) => {
    e.stopPropagation();
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      void send(message);
    }
    if (e.key === 'Escape') document.getElementById('page')?.focus();
  };
  const saving = doc.saving.value, unsaved = saving !== 'saved' && saving !== 'saving';
  return (
    <form class="copilot-composer" onSubmit={(e) => { e.preventDefault(); void send(message); }}>
      {!working && !(run && isReviewable(run)) && <ul class="copilot-chips" aria-label="Suggestions">{suggestions.map((s) => <li key={s}><button type="button" class="chip pick" disabled={busy || unsaved || !pilot.loaded.value} onClick={() => void send(s)}>{s}</button></li>)}</ul>}
      <Refused pilot={pilot} />
      {!working && <Context doc={doc} />}
      <div class="copilot-line">
        <textarea ref={field} class="input" rows={2} aria-label="What should change?" placeholder="What should change?" title="Enter sends, Shift Enter is a new line" value={message} maxLength={4000} disabled={working} onInput={(e) => (pilot.message.value = e.currentTarget.value)} onKeyDown={key} />
        {working ? <button type="button" class="button" disabled={busy} onClick={() => void pilot.cancel()}>Cancel</button> : <button type="submit" class="button strong" disabled={busy || unsaved || !message.trim()}>Send</button>}
      </div>
      {pilot.models.value.length > 1 && !working && <Select aria-label="Model" title="The model that is asked" value={pilot.model.value} change={(name) => (pilot.model.value = name)} choices={pilot.models.value.map((m) => ({ value: m.name, label: labelOf(m) }))} />}
      {unsaved && <p class="small soft">What you did last is not saved yet; the copilot works on what is.</p>}
    </form>
  );
}

const labelOf = (m: { name: string; model: string; vision: boolean; tools: boolean; price: { in: number; out: number } }): string => {
  const more = [m.model !== m.name && m.model, m.vision && 'sees pictures', m.price.in + m.price.out > 0 && `${m.price.in} / ${m.price.out} per million tokens`].filter(Boolean);
  return more.length > 0 ? `${m.name} (${more.join(', ')})` : m.name;
};

/** Context is what the message is about; a layer that is not meant is taken out of the selection. */
function Context({ doc }: { doc: Doc }) {
  const size = doc.size.value, theme = doc.order.value.theme, chosen = doc.selection.value;
  return (
    <ul class="copilot-chips" aria-label="What goes along">
      {size && <li><span class="chip" title="The size and the theme in view">{size.label ?? size.name}{theme && `, ${theme}`}</span></li>}
      {chosen.map((a) => (
        <li key={a}><span class="chip" data-level="ok"><span class="clip">{doc.title(a)}</span><button type="button" aria-label={`Leave out ${doc.title(a)}`} title="Leave it out" onClick={() => doc.select(chosen.filter((b) => b !== a))}>×</button></span></li>
      ))}
    </ul>
  );
}

/** Refused is why the last thing that was asked is not done, and the next step. */
function Refused({ pilot }: { pilot: Pilot }) {
  const { value: error } = pilot.trouble;
  if (error === null) return null;
  const taken = error instanceof Failure && error.slug === 'copilot_busy';
  return (
    <div class="stack tight">
      <Trouble error={error} again={pilot.loaded.value ? undefined : () => void pilot.read()} />
      {taken && <p><button type="button" class="button" onClick={() => void pilot.takeOpen()}>See the run</button></p>}
    </div>
  );
}
