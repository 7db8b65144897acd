// A number with its unit: typed, stepped by the arrow keys, or scrubbed by
// dragging its label.

import { useEffect, useRef, useState } from 'preact/hooks';

import { amount, clamped, rounded } from './lengths.ts';

export interface NumberProps {
  label: string; // what a reader hears
  short?: string; // what is seen, and dragged: "X", "W"; the label if absent
  value: number | undefined; // undefined: none, or mixed
  change: (n: number | null) => void; // once a gesture is over; null where the field was emptied
  live?: (n: number) => void; // while it is scrubbed
  mixed?: boolean;
  unit?: string;
  step?: number;
  min?: number;
  max?: number;
  hint?: string; // what holds where there is no value
  disabled?: boolean;
}

/** NumberField tells a change when Enter is pressed, the field is left, an arrow was pressed or a scrub ends. */
export function NumberField({ label, short, value, change, live, mixed, unit, step = 1, min, max, hint, disabled }: NumberProps) {
  const shown = value === undefined ? '' : String(rounded(value));
  const [text, setText] = useState(shown);
  const editing = useRef(false);
  const scrub = useRef<{ x: number; from: number; n: number } | undefined>(undefined);
  useEffect(() => {
    if (!editing.current) setText(shown);
  }, [shown]);

  const set = (n: number) => {
    const next = rounded(clamped(n, min, max));
    setText(String(next));
    if (next !== value) change(next);
  };
  const commit = () => {
    editing.current = false;
    if (text.trim() === '') {
      if (value !== undefined) change(null);
      return;
    }
    const n = amount(text);
    if (n === undefined) setText(shown);
    else set(n);
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === 'Enter') commit();
    else if (e.key === 'Escape') {
      setText(shown);
      editing.current = false;
    } else if (e.key === 'ArrowUp' || e.key === 'ArrowDown') {
      e.preventDefault();
      const by = step * (e.shiftKey ? 10 : e.altKey ? 0.1 : 1) * (e.key === 'ArrowUp' ? 1 : -1);
      set((amount(text) ?? value ?? 0) + by);
    } else return;
    e.stopPropagation();
  };
  const down = (e: PointerEvent) => {
    if (disabled || e.button !== 0) return;
    scrub.current = { x: e.clientX, from: value ?? 0, n: value ?? 0 };
    (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
  };
  const move = (e: PointerEvent) => {
    const s = scrub.current;
    if (!s) return;
    const n = rounded(clamped(s.from + Math.round((e.clientX - s.x) / 2) * step * (e.shiftKey ? 10 : 1), min, max));
    if (n === s.n) return;
    s.n = n;
    setText(String(n));
    live?.(n);
  };
  const up = () => {
    const s = scrub.current;
    scrub.current = undefined;
    if (s && s.n !== s.from) change(s.n);
  };
  return (
    <label class="number-field" data-disabled={disabled || undefined}>
      <span class="handle" aria-hidden="true" title={`${label}: drag to change`} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>{short ?? label}</span>
      <input class="input" type="text" inputMode="decimal" role="spinbutton" aria-label={label} aria-valuenow={value} aria-valuemin={min} aria-valuemax={max} aria-valuetext={mixed ? 'mixed' : value === undefined ? hint ?? 'none' : `${shown}${unit ?? ''}`}
        autocomplete="off" spellcheck={false} disabled={disabled} placeholder={mixed ? 'mixed' : hint} value={text}
        onFocus={(e) => e.currentTarget.select()} onInput={(e) => { editing.current = true; setText(e.currentTarget.value); }} onBlur={() => editing.current && commit()} onKeyDown={key} />
      {unit && <span class="unit" aria-hidden="true">{unit}</span>}
    </label>
  );
}
