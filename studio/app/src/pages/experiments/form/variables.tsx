// The variables that a variant sets, as fields of its template.

import { useState } from 'preact/hooks';

import type { Variable } from '../../../api/work.ts';
import { Field, Input, Select } from '../../../ui/field.tsx';
import { inWords } from '../../values.tsx';

interface Props {
  of: Variable;
  value: unknown;
  change: (value: unknown) => void;
  wrong?: string | undefined;
  needed: boolean;
}

const textOf = (value: unknown): string => (value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value));

function Control({ of: v, value, change, ...rest }: Omit<Props, 'wrong' | 'needed'> & { id?: string }) {
  const placeholder = v.example === undefined ? undefined : inWords(v.example).slice(0, 80);
  const set = (typed: string) => change(typed === '' ? undefined : typed);
  if (v.options && v.options.length > 0) {
    const words = v.options.map(textOf);
    return <Select {...rest} value={textOf(value)} change={(w) => change(w === '' ? undefined : v.options![words.indexOf(w)])} choices={[{ value: '', label: 'not set' }, ...words.map((w) => ({ value: w, label: w }))]} />;
  }
  switch (v.type) {
    case 'boolean':
      return <Select {...rest} value={textOf(value)} change={(w) => change(w === '' ? undefined : w === 'true')} choices={[{ value: '', label: 'not set' }, { value: 'true', label: 'yes' }, { value: 'false', label: 'no' }]} />;
    case 'number':
      return <NumberText {...rest} value={value} change={change} placeholder={placeholder} />;
    case 'date':
      return <Input {...rest} type="date" value={textOf(value).slice(0, 10)} change={set} />;
    case 'color':
      return <Input {...rest} value={textOf(value)} change={set} placeholder={placeholder ?? '#0f766e'} />;
    case 'array':
    case 'object':
    case 'any':
      return <JsonText {...rest} value={value} change={change} placeholder={placeholder} />;
    default:
      return (v.maxLength ?? 0) > 160 || textOf(value).length > 80
        ? <textarea {...rest} class="input" rows={2} value={textOf(value)} placeholder={placeholder} onInput={(e) => set(e.currentTarget.value)} />
        : <Input {...rest} value={textOf(value)} change={set} placeholder={placeholder} />;
  }
}

/** Loose fields keep what is typed, and give a value as soon as it is one. */
function NumberText({ value, change, ...rest }: { value: unknown; change: (v: unknown) => void; placeholder?: string | undefined }) {
  const [typed, setTyped] = useState<string>();
  return <Input {...rest} inputMode="decimal" value={typed ?? textOf(value)} onBlur={() => setTyped(undefined)} change={(next) => {
    setTyped(next);
    const n = Number(next.replace(',', '.'));
    if (next.trim() === '') change(undefined);
    else if (Number.isFinite(n)) change(n);
  }} />;
}

function JsonText({ value, change, ...rest }: { value: unknown; change: (v: unknown) => void; placeholder?: string | undefined }) {
  const [typed, setTyped] = useState(value === undefined ? '' : JSON.stringify(value));
  const [bad, setBad] = useState(false);
  return <textarea {...rest} class="input mono" rows={2} spellcheck={false} value={typed} aria-invalid={bad || undefined} title={bad ? 'This is no JSON yet' : undefined} onInput={(e) => {
    const next = e.currentTarget.value;
    setTyped(next);
    try {
      change(next.trim() === '' ? undefined : (JSON.parse(next) as unknown));
      setBad(false);
    } catch {
      setBad(true);
    }
  }} />;
}

/** VariableField is one variable; what is left empty is not set. */
export function VariableField({ of: v, value, change, wrong, needed }: Props) {
  const label = <><code>{v.name}</code> <span class="soft small">{v.type}{needed && value === undefined ? ', needed' : ''}</span></>;
  return <Field label={label} help={v.description} wrong={wrong}><Control of={v} value={value} change={change} /></Field>;
}
