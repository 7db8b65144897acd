// Fields with their label, help and fault.

import type { ComponentChildren, JSX } from 'preact';
import { cloneElement, type VNode } from 'preact';
import { useId } from 'preact/hooks';

/** Field puts a label before one control, and its help and what is wrong with it behind it. */
export function Field({ label, help, wrong, children }: { label: ComponentChildren; help?: ComponentChildren; wrong?: ComponentChildren; children: VNode<JSX.HTMLAttributes> }) {
  const id = useId();
  const about = [help && `${id}-help`, wrong && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {cloneElement(children, { id, 'aria-describedby': about || undefined, 'aria-invalid': wrong ? true : undefined })}
      {help && <p class="help" id={`${id}-help`}>{help}</p>}
      {wrong && <p class="wrong" id={`${id}-wrong`} role="alert">{wrong}</p>}
    </div>
  );
}

type InputProps = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'value' | 'onInput' | 'onChange'> & { value: string; change: (value: string) => void };

/** Input is one line of text. */
export function Input({ value, change, ...rest }: InputProps) {
  return <input class="input" spellcheck={false} autocomplete="off" {...rest} value={value} onInput={(e) => change(e.currentTarget.value)} />;
}

/** Select is one of some choices. */
export function Select({ value, change, choices, ...rest }: Omit<JSX.SelectHTMLAttributes<HTMLSelectElement>, 'value' | 'onChange'> & {
  value: string; change: (value: string) => void; choices: (string | { value: string; label: string })[];
}) {
  return (
    <select class="input" {...rest} value={value} onChange={(e) => change(e.currentTarget.value)}>
      {choices.map((c) => (typeof c === 'string' ? <option key={c} value={c}>{c}</option> : <option key={c.value} value={c.value}>{c.label}</option>))}
    </select>
  );
}

/** Tick is a yes or no. */
export function Tick({ label, checked, change, disabled }: { label: ComponentChildren; checked: boolean; change: (on: boolean) => void; disabled?: boolean }) {
  return <label class="tick"><input type="checkbox" checked={checked} disabled={disabled} onChange={(e) => change(e.currentTarget.checked)} />{label}</label>;
}
