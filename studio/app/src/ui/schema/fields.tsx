// Fields for what is more than one text.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Field, Input, Tick } from '../field.tsx';

interface Props {
  label: ComponentChildren;
  help?: string | undefined;
  wrong?: string | undefined;
  value: unknown;
  change: (value: unknown) => void;
}

const kept = '***'; // what the API says in place of a secret, and takes for "as it is"

/** SecretField never shows a secret: an empty field keeps the one that there is. */
export function SecretField({ value, change, required, help, ...rest }: Props & { required: boolean }) {
  const [had] = useState(value === kept);
  const words = [help, had && (value === undefined ? 'It is taken away when you save.' : 'There is one. Leave the field empty to keep it.')].filter(Boolean).join(' ');
  return (
    <div class="secret">
      <Field {...rest} help={words || undefined}>
        <Input type="password" autocomplete="new-password" value={value === kept || value === undefined ? '' : String(value)} placeholder={value === kept ? 'kept as it is' : ''}
          required={required && value !== kept} change={(text) => change(text === '' && had ? kept : text)} />
      </Field>
      {had && value !== undefined && !required && <button type="button" class="button" onClick={() => change(undefined)}>Take away</button>}
      {had && value === undefined && <button type="button" class="button" onClick={() => change(kept)}>Keep it</button>}
    </div>
  );
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)]);

/** ListField is several texts: one a line, or some of the words that there are. */
export function ListField({ value, change, choices, label, help, wrong }: Props & { choices?: string[] | undefined }) {
  const items = listOf(value);
  const [text, setText] = useState(items.join('\n'));
  const said = text.split('\n').map((line) => line.trim()).filter(Boolean);
  if (choices) {
    const choose = (word: string, on: boolean) => {
      const next = choices.filter((c) => (c === word ? on : items.includes(c)));
      change(next.length > 0 ? next : undefined);
    };
    return (
      <fieldset class="group">
        <legend>{label}</legend>
        {help && <p class="soft small">{help}</p>}
        <div class="ticks">{choices.map((c) => <Tick key={c} label={c} checked={items.includes(c)} change={(on) => choose(c, on)} />)}</div>
        {wrong && <p class="wrong" role="alert">{wrong}</p>}
      </fieldset>
    );
  }
  const typed = (next: string) => {
    setText(next);
    const lines = next.split('\n').map((line) => line.trim()).filter(Boolean);
    change(lines.length === 0 ? undefined : lines.length === 1 ? lines[0] : lines);
  };
  const shown = items.join('\n') === said.join('\n') ? text : items.join('\n'); // set from elsewhere
  return <Field label={label} help={[help, 'One a line.'].filter(Boolean).join(' ')} wrong={wrong}><textarea class="input" rows={Math.max(1, items.length)} value={shown} spellcheck={false} onInput={(e) => typed(e.currentTarget.value)} /></Field>;
}

/** PairsField is names with a text each. */
export function PairsField({ value, change, label, help, wrong }: Props) {
  const [pairs, setPairs] = useState<[string, string][]>(() => Object.entries((value ?? {}) as Record<string, unknown>).map(([name, v]) => [name, String(v)]));
  const set = (next: [string, string][]) => {
    setPairs(next);
    const full = next.filter(([name]) => name !== '');
    change(full.length > 0 ? Object.fromEntries(full) : undefined);
  };
  return (
    <fieldset class="group">
      <legend>{label}</legend>
      {help && <p class="soft small">{help}</p>}
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      {pairs.map(([name, text], i) => (
        <div class="pairline" key={i}>
          <Input aria-label={`Name ${i + 1}`} value={name} change={(n) => set(pairs.map((p, at) => (at === i ? [n, p[1]] : p)))} placeholder="name" />
          <Input aria-label={`Value of ${name || i + 1}`} value={text} change={(t) => set(pairs.map((p, at) => (at === i ? [p[0], t] : p)))} placeholder="value" />
          <button type="button" class="button" aria-label={`Remove ${name || i + 1}`} onClick={() => set(pairs.filter((_, at) => at !== i))}>×</button>
        </div>
      ))}
      <button type="button" class="button" onClick={() => setPairs([...pairs, ['', '']])}>Add</button>
    </fieldset>
  );
}

/** JsonField is what no simple field can hold. */
export function JsonField({ value, change, label, help, wrong }: Props) {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const [fault, setFault] = useState('');
  const typed = (next: string) => {
    setText(next);
    try {
      change(next.trim() === '' ? undefined : (JSON.parse(next) as unknown));
      setFault('');
    } catch (e) {
      setFault(`This is no JSON: ${e instanceof Error ? e.message : String(e)}`);
    }
  };
  return <Field label={label} help={[help, 'As JSON.'].filter(Boolean).join(' ')} wrong={fault || wrong}><textarea class="input mono" rows={Math.min(12, Math.max(2, text.split('\n').length))} value={text} spellcheck={false} onInput={(e) => typed(e.currentTarget.value)} /></Field>;
}
