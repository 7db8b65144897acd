// What a text says, with its expressions each in a field of its own.

import { useEffect, useState } from 'preact/hooks';

import { ExpressionField } from '../fields/expression.tsx';
import { scopeOf } from '../fields/expressions.ts';
import type { Edit } from './edit.ts';
import { Bolt, Section } from './property.tsx';
import { sole } from './reading.ts';
import { replaced } from './texts.ts';

function Words({ edit }: { edit: Edit }) {
  const node = edit.first;
  const text = node.text ?? '';
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text, node.address]);
  const refused = edit.doc.refused.value;
  const wrong = refused?.ops.some((op) => op.op === 'set_text' && op.id === node.address) ? refused.failure.errors[0]?.message ?? refused.failure.detail : undefined;
  const commit = () => draft !== text && void edit.send('Edit a text', (id) => [{ op: 'set_text', id, text: draft }]);
  if (node.rich) return <p class="help">This text has parts of their own style. Write in it on the canvas, or in the source.</p>;
  return (
    <>
      <textarea class="input" rows={Math.min(6, Math.max(2, draft.split('\n').length))} aria-label="Text" aria-invalid={wrong ? true : undefined} disabled={!edit.can('set_text')} value={draft} onInput={(e) => setDraft(e.currentTarget.value)} onBlur={commit}
        onKeyDown={(e) => {
          if (e.key === 'Escape') setDraft(text);
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) commit();
          e.stopPropagation();
        }} />
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
    </>
  );
}

export function Content({ edit }: { edit: Edit }) {
  const node = edit.first;
  const [adding, setAdding] = useState(false);
  const texts = node.bindings.filter((b) => /^text(@\d+)?$/.test(b.place));
  if (edit.nodes.length > 1) return null;
  const whole = sole(node.text) !== undefined;
  const set = (at: number, expression: string) => {
    const next = whole ? `{{ ${expression} }}` : replaced(node.text ?? '', at, expression);
    return edit.send('Change an expression', (id) => [{ op: 'set_text', id, text: next }]);
  };
  return (
    <Section title="Text">
      {!whole && <Words edit={edit} />}
      {texts.map((b, i) => {
        const shown = edit.doc.values.value[`${node.address} ${b.place}`];
        const wrong = shown?.error && { from: shown.error.from ?? 0, to: shown.error.to ?? b.expression.length, message: shown.error.message, hint: shown.error.hint };
        return (
          <div key={b.place} class="property" role="group" aria-label={texts.length > 1 ? `Expression ${i + 1}` : 'Text by data'} data-bound data-wide data-failing={shown?.error ? true : undefined}>
            <div class="property-head"><span class="property-label">{whole ? 'Text' : `Expression ${texts.length > 1 ? i + 1 : ''}`}</span>
              {whole && <Bolt pressed label="Text: remove the expression" title="Put what it says now in its place" press={() => void edit.send('Remove an expression', (id) => [{ op: 'set_text', id, text: String(shown?.value ?? '') }])} />}
            </div>
            <ExpressionField row={edit.doc.row.value} label={texts.length > 1 ? `Expression ${i + 1}` : 'Text: expression'} value={b.expression} wrong={wrong} kept={shown?.kept} scope={() => scopeOf(edit.doc, node, b.place)} commit={(e) => set(i, e)} />
          </div>
        );
      })}
      {!whole && !node.rich && edit.can('set_text') && (adding
        ? <ExpressionField row={edit.doc.row.value} label="New expression" value="" now scope={() => scopeOf(edit.doc, node, 'text')} cancel={() => setAdding(false)}
            commit={(e) => edit.send('Bind to data', (id) => [{ op: 'set_text', id, text: `${node.text ?? ''}{{ ${e} }}` }]).then((ok) => { if (ok) setAdding(false); return ok; })} />
        : <button type="button" class="button" onClick={() => setAdding(true)}>Add an expression</button>)}
    </Section>
  );
}
