// Filters of a list: the usual ones in a row, that stand in the address.

import { useEffect, useState } from 'preact/hooks';

import { Field, Input, Select } from '../ui/field.tsx';
import './filterbar.css';

export interface Filter {
  name: string;
  label: string;
  any?: string; // the word for no choice
  choices?: (string | { value: string; label: string })[]; // without them it is a text
  placeholder?: string;
}

const valueOf = (c: string | { value: string; label: string }) => (typeof c === 'string' ? { value: c, label: c } : c);

/** Filters shows filters with the values that they have. */
export function Filters({ filters, values, set }: { filters: Filter[]; values: Record<string, string>; set: (changes: Record<string, string>) => void }) {
  const used = filters.filter((f) => values[f.name]);
  return (
    <details class="filterbar" open={matchMedia('(min-width: 56.01rem)').matches || undefined}>
      <summary>Filters{used.length > 0 && <span class="chip">{used.length}</span>}</summary>
      <form role="search" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
        {filters.map((f) => (
          <Field key={f.name} label={f.label}>
            {f.choices
              ? <Select value={values[f.name] ?? ''} change={(v) => set({ [f.name]: v })} choices={[{ value: '', label: f.any ?? 'Any' }, ...known(f, values[f.name])]} />
              : <Typed value={values[f.name] ?? ''} change={(v) => set({ [f.name]: v })} placeholder={f.placeholder} />}
          </Field>
        ))}
        {used.length > 0 && <button type="button" class="button plain" onClick={() => set(Object.fromEntries(used.map((f) => [f.name, ''])))}>Clear</button>}
      </form>
    </details>
  );
}

/** known are the choices, with a value from the address that is none of them. */
function known(f: Filter, value = '') {
  const all = f.choices!.map(valueOf);
  return value && !all.some((c) => c.value === value) ? [...all, { value, label: value }] : all;
}

/** Typed is a text that counts when it is finished: by Enter, by leaving it, or after a pause. */
function Typed({ value, change, ...rest }: { value: string; change: (value: string) => void; placeholder?: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined; // also after Enter: a pause that is over later would undo what was done since
    const wait = setTimeout(() => change(text), 500);
    return () => clearTimeout(wait);
  }, [text, value]);
  const now = () => text !== value && change(text);
  return <Input {...rest} type="search" value={text} change={setText} onBlur={now} onKeyDown={(e: KeyboardEvent) => e.key === 'Enter' && now()} />;
}
