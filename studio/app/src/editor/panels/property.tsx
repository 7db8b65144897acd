// One property in the inspector: its control, the button that binds it to data,
// and whether the size in view has its own.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { ExpressionField } from '../fields/expression.tsx';
import { scopeOf } from '../fields/expressions.ts';
import type { Edit } from './edit.ts';
import { boundAt } from './reading.ts';

/** Badge says that the size in view has a value of its own, and gives it back. */
export function Badge({ edit, properties }: { edit: Edit; properties: string[] }) {
  if (!edit.size || !properties.some((p) => edit.read(p).overridden)) return null;
  return <button type="button" class="badge" title={`Only in ${edit.size}. Press to reset to the base.`} aria-label={`Only in ${edit.size}: reset ${properties.join(', ')} to the base`} onClick={() => void edit.reset(properties)}>{edit.size} ↺</button>;
}

/** Bound is the expression of a place, instead of its control. */
export function Bound({ edit, place, label, hint, start, close }: { edit: Edit; place: string; label: string; hint?: string; start?: string; close?: () => void }) {
  const expressions = edit.nodes.map((n) => boundAt(n, place)?.expression ?? '');
  const same = expressions.every((e) => e === expressions[0]);
  const value = (same ? expressions[0] : '') || '';
  const shown = edit.doc.values.value[`${edit.first.address} ${place}`];
  const wrong = value !== '' && shown?.error ? { from: shown.error.from ?? 0, to: shown.error.to ?? value.length, message: shown.error.message, hint: shown.error.hint } : undefined;
  return (
    <ExpressionField key={`${edit.first.address} ${place}`} label={`${label}: expression`} value={value || start || ''} hint={same ? hint : 'mixed'} now={value === ''} wrong={wrong} kept={shown?.kept}
      preview={place !== 'for'} row={edit.doc.row.value} scope={() => scopeOf(edit.doc, edit.first, place)} commit={(e) => edit.bind(place, e).then((ok) => { if (ok) close?.(); return ok; })} cancel={close} />
  );
}

/** Bolt is the button that lets data decide. */
export function Bolt({ label, pressed, title, press }: { label: string; pressed: boolean; title: string; press: () => void }) {
  return <button type="button" class="bolt" aria-pressed={pressed} aria-label={label} title={title} onClick={press}><svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path fill="currentColor" d="M9.2 0 2.6 9.2h4.2L5.6 16l7.8-9.8H8.8z" /></svg></button>;
}

/** Property is a control with its label. Where place is said it can be bound to data; properties are the CSS that it stands for. */
export function Property({ edit, label, place, properties = place?.startsWith('style:') ? [place.slice(6)] : [], hint, wide, children }: {
  edit: Edit; label: string; place?: string; properties?: string[]; hint?: string; wide?: boolean; children?: ComponentChildren;
}) {
  const [binding, setBinding] = useState(false);
  const bound = place !== undefined && edit.nodes.some((n) => boundAt(n, place));
  const failing = bound && edit.nodes.some((n) => edit.doc.values.value[`${n.address} ${place}`]?.error);
  const may = place !== undefined && edit.can(/^(element|option|fallback)/.test(place) ? 'set_attr' : 'set_binding');
  const open = bound || binding;
  return (
    <div class="property" role="group" aria-label={label} data-bound={open || undefined} data-failing={failing || undefined} data-wide={wide || open || undefined}>
      <div class="property-head">
        <span class="property-label">{label}</span>
        <Badge edit={edit} properties={properties} />
        {may && <Bolt pressed={open} label={open ? `${label}: remove the expression` : `${label}: decide by data`} title={open ? 'Remove the expression' : 'Decide by data'}
          press={() => { if (bound) void edit.bind(place, null).then(() => setBinding(false)); else setBinding(!binding); }} />}
      </div>
      {open ? <Bound edit={edit} place={place!} label={label} hint={hint} close={() => setBinding(false)} /> : children}
    </div>
  );
}

/** Section is a part of the inspector that folds. */
export function Section({ title, open = true, children }: { title: string; open?: boolean; children: ComponentChildren }) {
  return <details class="fold" open={open}><summary>{title}</summary><div class="fold-body">{children}</div></details>;
}
