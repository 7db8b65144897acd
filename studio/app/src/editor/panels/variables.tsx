// What rows must bring: the variables of the manifest, and where each is used.

import { useEffect, useState } from 'preact/hooks';

import { Field, Input, Select, Tick } from '../../ui/field.tsx';
import { Empty } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import type { Variable } from '../model.ts';
import { toSource } from '../source/place.ts';
import { type Use, usesOf } from './uses.ts';
import './panels.css';

const types = ['text', 'number', 'boolean', 'image', 'url', 'color', 'date', 'array', 'object', 'any'];

/** written is a value as a field shows it. */
const written = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

/** meant is what somebody wrote as a value of a type; a fault where it can't be one. */
export function meant(text: string, type: string): { value?: unknown; fault?: string } {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  if (type === 'number') return Number.isFinite(Number(trimmed)) ? { value: Number(trimmed) } : { fault: 'Write a number, such as 129.5.' };
  if (type === 'boolean') return ['true', 'false'].includes(trimmed) ? { value: trimmed === 'true' } : { fault: 'Write true or false.' };
  if (type === 'array' || type === 'object') {
    try {
      const value: unknown = JSON.parse(trimmed);
      const list = Array.isArray(value);
      if (type === 'array' ? list : !list && typeof value === 'object' && value !== null) return { value };
    } catch { /* told below */ }
    if (type === 'array' && !/^[[{]/.test(trimmed)) return { value: trimmed.split(/\s*,\s*/) };
    return { fault: type === 'array' ? 'Write a list, such as ["Waterproof", "Vegan"], or words between commas.' : 'Write an object, such as {"name": "Ada"}.' };
  }
  return { value: text };
}

/** stored is a variable as set_var takes it. */
const stored = (v: Variable): Record<string, unknown> => Object.fromEntries(Object.entries(v).filter(([name, value]) => name !== 'name' && value !== undefined && value !== '' && value !== false && !((name === 'minLength' || name === 'maxLength') && value === 0)));

export function Variables({ doc }: { doc: Doc }) {
  const { variables } = doc.manifest.value;
  const [open, setOpen] = useState('');
  const [name, setName] = useState('');
  const fault = name && !/^[A-Za-z_]\w*$/.test(name) ? 'Letters, digits and _, not a digit first.' : variables.some((v) => v.name === name) ? 'There is one of this name.' : '';
  const add = (e: Event) => {
    e.preventDefault();
    if (!name || fault) return;
    void doc.apply([{ op: 'set_var', name, var: { type: 'text', example: name } }], { label: `Add ${name}` }).then((ok) => {
      if (!ok) return;
      setOpen(name);
      setName('');
    });
  };
  return (
    <div class="stack">
      <form onSubmit={add} class="add-line"><Field label="New variable" wrong={fault || undefined}><Input value={name} placeholder="title" change={setName} onKeyDown={(e) => e.stopPropagation()} /></Field><button type="submit" class="button" disabled={!name || fault !== ''}>Add</button></form>
      {variables.length === 0 && <Empty title="No variables yet"><p>Add one here, or write <code>{'{{ name }}'}</code> in a text: every name that an expression reads is a variable.</p></Empty>}
      <ul class="entries" aria-label="Variables">
        {variables.map((v) => {
          const uses = usesOf(v.name, doc.nodes.value.values(), doc.bindings.value);
          return (
            <li key={v.name}>
              <button type="button" class="entry" aria-expanded={open === v.name} onClick={() => setOpen(open === v.name ? '' : v.name)}>
                <span class="clip mono">{v.name}</span><span class="soft small">{v.type}{v.required && ', required'}{uses.length === 0 && ', unused'}</span>
              </button>
              {open === v.name && <Details doc={doc} variable={v} uses={uses} renamed={setOpen} />}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Details({ doc, variable: v, uses, renamed }: { doc: Doc; variable: Variable; uses: Use[]; renamed: (name: string) => void }) {
  const set = (part: Partial<Variable>) => void doc.apply([{ op: 'set_var', name: v.name, var: stored({ ...v, ...part }) }], { label: `Change ${v.name}`, merge: `var ${v.name} ${Object.keys(part).join()}` });
  const [asking, setAsking] = useState(false);
  const rename = (to: string) => {
    if (to === v.name || !/^[A-Za-z_]\w*$/.test(to)) return;
    void doc.apply([{ op: 'rename_var', name: v.name, to }], { label: `Rename ${v.name}` }).then((ok) => ok && renamed(to));
  };
  const whole = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : undefined);
  return (
    <div class="details">
      <Later label="Name" value={v.name} commit={rename} check={(to) => (/^[A-Za-z_]\w*$/.test(to) ? '' : 'Letters, digits and _, not a digit first.')} help={uses.length > 0 ? `Its ${counted(uses.length, 'use')} here follow; columns of rows and mappings elsewhere do not.` : undefined} />
      <Field label="Type"><Select value={v.type} choices={types} change={(type) => set({ type, items: type === 'array' ? v.items ?? 'text' : undefined, ...(meant(written(v.example), type).fault ? { example: undefined } : { example: meant(written(v.example), type).value }) })} /></Field>
      {v.type === 'array' && <Field label="Items are"><Select value={v.items ?? 'any'} choices={types.filter((t) => t !== 'array')} change={(items) => set({ items })} /></Field>}
      <Tick label="Required: a row without it fails" checked={v.required ?? false} change={(required) => set({ required, missing: required ? undefined : v.missing })} />
      {!v.required && <Field label="Where a row has none"><Select value={v.missing ?? ''} choices={[{ value: '', label: 'its default, or nothing' }, { value: 'strict', label: 'the row fails' }, { value: 'hide', label: 'what shows it is left out' }]} change={(missing) => set({ missing: missing || undefined })} /></Field>}
      <Later label="Example" help="What the canvas shows without a row." value={written(v.example)} check={(t) => meant(t, v.type).fault ?? ''} commit={(t) => set({ example: meant(t, v.type).value })} />
      <Later label="Default" value={written(v.default)} check={(t) => meant(t, v.type).fault ?? ''} commit={(t) => set({ default: meant(t, v.type).value })} />
      {v.type === 'text' && <Later label="At most so many letters" value={v.maxLength ? String(v.maxLength) : ''} check={(t) => (t === '' || whole(t) !== undefined ? '' : 'Write a whole number.')} commit={(t) => set({ maxLength: whole(t) })} />}
      {v.type === 'number' && <div class="two">
        <Later label="At least" value={written(v.min)} check={(t) => meant(t, 'number').fault ?? ''} commit={(t) => set({ min: meant(t, 'number').value as number | undefined })} />
        <Later label="At most" value={written(v.max)} check={(t) => meant(t, 'number').fault ?? ''} commit={(t) => set({ max: meant(t, 'number').value as number | undefined })} />
      </div>}
      <Later label="What it is, for people" value={v.description ?? ''} commit={(description) => set({ description })} />
      <div>
        <p class="small soft">{uses.length === 0 ? 'Nothing reads it.' : counted(uses.length, 'use')}</p>
        <ul class="uses">{uses.map((u, i) => <li key={i}><button type="button" class="button plain" onClick={() => (u.address && doc.node(u.address) ? doc.select([u.address]) : toSource(u.span[0], u.span[1]))}>{u.address ? doc.title(u.address) : 'outside of pages'}: {u.place.replace(/^style:|^attr:/, '')} <code class="clip">{u.expression}</code></button></li>)}</ul>
      </div>
      {asking
        ? <div class="note" data-level="warn"><p>{uses.length > 0 ? `${counted(uses.length, 'expression')} would read a variable that is not declared, and show nothing.` : 'Nothing reads it.'}</p><div class="row"><button type="button" class="button danger" onClick={() => void doc.apply([{ op: 'set_var', name: v.name, var: null }], { label: `Remove ${v.name}` })}>Remove it</button><button type="button" class="button" onClick={() => setAsking(false)}>Keep it</button></div></div>
        : <p><button type="button" class="button" onClick={() => setAsking(true)}>Remove …</button></p>}
    </div>
  );
}

/** Later is a line that is taken when it is left, or with Enter; Escape gives it up. */
export function Later({ label, value, commit, check, help }: { label: string; value: string; commit: (text: string) => void; check?: (text: string) => string; help?: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const fault = text === value ? '' : check?.(text) ?? '';
  const done = () => text !== value && !fault && commit(text);
  return (
    <Field label={label} help={help} wrong={fault || undefined}>
      <Input value={text} change={setText} onBlur={done} onKeyDown={(e) => {
        if (e.key === 'Enter') {
          e.preventDefault();
          done();
        }
        if (e.key === 'Escape') setText(value);
        e.stopPropagation();
      }} />
    </Field>
  );
}
