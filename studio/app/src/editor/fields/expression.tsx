// The expression field: one line, what it comes to for the row in view, and what
// is wrong with it at its place. One that can't work is not sent: the document,
// and the canvas, keep the last good one. One that only fails for this row is.

import { useEffect, useRef, useState } from 'preact/hooks';

import { tell } from '../../ui/toast.tsx';
import { type Scope, valid, worth, type Worth } from './expressions.ts';
import type { Line } from './line.ts';
import type { Fault } from './mirror.ts';

const pause = 220; // ms of quiet before the daemon is asked

/** Value shows what an expression comes to. */
export function Value({ worth: w }: { worth: Worth | undefined }) {
  if (!w || w.fault) return null;
  const colour = w.type === 'string' && /^#[0-9a-f]{3,8}$|^rgba?\(/i.test(w.text) ? w.text : undefined;
  return (
    <p class="worth">
      <span aria-hidden="true">= </span>{colour && <span class="swatch" aria-hidden="true"><i style={{ background: colour }} /></span>}
      <output class="clip" title={w.text}>{w.value === null || w.value === undefined ? <em>nothing</em> : w.text === '' ? <em>empty</em> : w.text}</output> <span class="chip">{w.type}</span>
    </p>
  );
}

/** ExpressionField edits an expression. commit promises whether the daemon took it; wrong is what it said of it, kept is said where an older value stands in. */
export function ExpressionField({ label, value, scope, commit, cancel, wrong, kept, hint, now = false, preview = true, row }: {
  label: string; value: string; scope: () => Promise<Scope>; commit: (expression: string) => Promise<boolean>; cancel?: () => void;
  wrong?: Fault; kept?: boolean; hint?: string; now?: boolean; // now: it takes the focus at once
  row?: unknown; // what it is computed over: it is computed again with another
  preview?: boolean; // false where what it is is no value, as "item in list"
}) {
  const host = useRef<HTMLDivElement>(null);
  const mirror = useRef<Line | undefined>(undefined);
  const [text, setText] = useState(value);
  const [came, setCame] = useState<{ text: string; worth: Worth }>();
  const props = useRef({ value, commit, cancel, scope });
  props.current = { value, commit, cancel, scope };
  const sent = useRef(value);

  const look = async (expression: string): Promise<Worth | undefined> => {
    if (!preview || expression.trim() === '') return undefined;
    const found = await worth(expression, await props.current.scope());
    setCame({ text: expression, worth: found });
    return found;
  };
  const settle = async (expression: string) => {
    const clean = expression.trim();
    if (clean === sent.current.trim()) return;
    if (clean === '') return props.current.cancel?.();
    const found = await look(clean);
    if (found?.fault && !(await valid(clean, await props.current.scope()))) return;
    sent.current = clean;
    if (await props.current.commit(clean) === false) sent.current = props.current.value;
  };

  useEffect(() => {
    let ended = false;
    void import('./line.ts').then(({ line }) => {
      if (ended || !host.current) return;
      mirror.current = line(host.current, {
        value: props.current.value, label, hint, scope: () => props.current.scope(), typed: setText, commit: (t) => void settle(t).catch(tell),
        cancel: () => {
          mirror.current?.set(props.current.value);
          props.current.cancel?.();
        },
      });
      if (now) mirror.current.focus();
    }, tell);
    return () => {
      ended = true;
      mirror.current?.end();
      mirror.current = undefined;
    };
  }, []);
  useEffect(() => {
    sent.current = value;
    setText(value);
    mirror.current?.set(value);
  }, [value]);
  useEffect(() => {
    const timer = setTimeout(() => void look(text).catch(() => undefined), pause);
    return () => clearTimeout(timer);
  }, [text, row]);

  const found = came?.text.trim() === text.trim() ? came.worth : undefined;
  const fault = found?.fault ?? (text.trim() === value.trim() ? wrong : undefined);
  useEffect(() => mirror.current?.faults(fault ? [fault] : []), [fault?.from, fault?.to, fault?.message, text]);
  return (
    <div class="expression" data-wrong={fault ? true : undefined}>
      <div class="expression-line" ref={host} onKeyDown={(e) => e.stopPropagation()} />
      {fault ? <p class="wrong" role="alert">{fault.message}{fault.hint && <span class="soft"> {fault.hint}</span>}{kept && <span class="soft"> The canvas keeps the last good value.</span>}</p> : <Value worth={found} />}
    </div>
  );
}
