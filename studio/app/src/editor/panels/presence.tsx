// Whether layers are there, and how often.

import { useState } from 'preact/hooks';

import { ExpressionField } from '../fields/expression.tsx';
import { loopOf, scopeOf } from '../fields/expressions.ts';
import { Tick } from '../../ui/field.tsx';
import { NumberField } from '../fields/number.tsx';
import type { Edit } from './edit.ts';
import { boundAt } from './reading.ts';
import { Bolt, Property, Section } from './property.tsx';

export function Presence({ edit, page }: { edit: Edit; page: boolean }) {
  const { doc, first } = edit;
  const otherwise = edit.nodes.length === 1 && boundAt(first, 'else-if');
  const limit = edit.attr('p-limit');
  const siblings = doc.node(first.parent)?.children ?? [];
  const before = doc.node(siblings[siblings.indexOf(first.address) - 1] ?? '');
  const follows = edit.nodes.length === 1 && before !== undefined && (boundAt(before, 'if') ?? boundAt(before, 'else-if')) !== undefined;
  const repeats = boundAt(first, 'for');
  const inFlow = page || doc.node(first.parent)?.kind === 'stack' || repeats !== undefined;
  const isElse = 'p-else' in first.attrs, isEmpty = 'p-empty' in first.attrs;
  const used = edit.nodes.some((n) => n.bindings.some((b) => ['if', 'else-if', 'for'].includes(b.place))) || isElse || isEmpty;
  const afterLoop = edit.nodes.length === 1 && before !== undefined && boundAt(before, 'for') !== undefined;
  return (
    <Section title="Shown" open={used}>
      {otherwise ? <Property edit={edit} label="Else, if" place="else-if" wide /> : !isElse && <Property edit={edit} label="Only if" place="if" wide hint="sale"><p class="help">{page ? 'This page is always there.' : 'Always.'}</p></Property>}
      {follows && !otherwise && <Tick label={`Only where “${doc.title(before!.address)}” is not`} checked={isElse} disabled={!edit.can('set_attr')} change={(on) => void edit.setAttr('Else', 'p-else', on ? '' : null)} />}
      {afterLoop && <Tick label={`Only where “${doc.title(before!.address)}” has no items`} checked={isEmpty} disabled={!edit.can('set_attr')} change={(on) => void edit.setAttr('For an empty list', 'p-empty', on ? '' : null)} />}
      {edit.nodes.length === 1 && inFlow && <Repeat edit={edit} page={page} />}
      {repeats && <NumberField label="At most so many" short="Limit" min={1} value={limit.value ? Number(limit.value) : undefined} hint="all" disabled={!edit.can('set_attr')} change={(n) => void edit.setAttr('Limit', 'p-limit', n === null ? null : String(Math.round(n)))} />}
    </Section>
  );
}

/** Repeat is "item in list", the list as an expression and the names beside it. */
function Repeat({ edit, page }: { edit: Edit; page: boolean }) {
  const bound = boundAt(edit.first, 'for');
  const loop = loopOf(bound?.expression);
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState<string>();
  const item = loop?.item ?? (page ? 'page' : 'item');
  const words = (list: string, as = item) => `${as}${loop?.index ? `, ${loop.index}` : ''} in ${list}`;
  if (bound && !loop) return <Property edit={edit} label="Repeat" place="for" wide />;
  const open = bound !== undefined || adding;
  const shown = edit.doc.values.value[`${edit.first.address} for`];
  return (
    <div class="property" data-wide data-bound={open || undefined} data-failing={shown?.error ? true : undefined} role="group" aria-label="Repeat">
      <div class="property-head"><span class="property-label">Repeat for each of a list</span>
        <Bolt pressed={open} label={open ? 'Repeat: remove the expression' : 'Repeat: decide by data'} title={open ? 'Once again' : 'Repeat'} press={() => { if (bound) void edit.bind('for', null); setAdding(!bound && !adding); }} />
      </div>
      {!open && <p class="help">{page ? 'One page.' : 'Once.'}</p>}
      {open && <>
        <ExpressionField row={edit.doc.row.value} label="Repeat: the list" value={loop?.list ?? ''} now={!bound} hint="features" scope={() => scopeOf(edit.doc, edit.first, 'for')} cancel={() => setAdding(false)}
          wrong={shown?.error && { from: 0, to: loop?.list.length ?? 0, message: shown.error.message, hint: shown.error.hint }} kept={shown?.kept}
          commit={(list) => edit.bind('for', words(list)).then((ok) => { setAdding(false); return ok; })} />
        {loop && <label class="inline-label">each is called <input class="input mono" aria-label="Name of each item" value={name ?? loop.item} onInput={(e) => setName(e.currentTarget.value)} onKeyDown={(e) => e.stopPropagation()}
          onBlur={() => { if (name && name !== loop.item && /^[A-Za-z_]\w*$/.test(name)) void edit.bind('for', words(loop.list, name)); setName(undefined); }} /></label>}
      </>}
    </div>
  );
}
