// Panels behind tabs, as the ARIA practices have them: arrows go along, and only
// what is shown is made.

import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';

import type { Doc } from './document.ts';
import type { Panel } from './registry.ts';

/** Tabs shows one of some panels; "" shows none, where that is allowed. */
export function Tabs({ label, panels, chosen, doc, closes }: { label: string; panels: Panel[]; chosen: Signal<string>; doc: Doc; closes?: boolean }) {
  const id = useId();
  const shown = panels.find((p) => p.name === chosen.value) ?? (closes ? undefined : panels[0]);
  const go = (e: KeyboardEvent) => {
    const at = panels.findIndex((p) => p === shown);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panels.length - 1 }[e.key];
    if (next === undefined) return;
    e.preventDefault();
    const to = panels[(next + panels.length) % panels.length]!;
    chosen.value = to.name;
    (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${CSS.escape(to.name)}"]`)?.focus();
  };
  const Body = shown?.body;
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={go}>
        {panels.map((p, i) => (
          <button key={p.name} type="button" role="tab" id={`${id}-${p.name}`} data-tab={p.name} aria-selected={p === shown} aria-controls={p === shown ? `${id}-body` : undefined}
            tabIndex={p === shown || !shown && i === 0 ? 0 : -1} onClick={() => (chosen.value = closes && p === shown ? '' : p.name)}>{p.name}</button>
        ))}
      </div>
      {Body && shown && <div class="panel" role="tabpanel" id={`${id}-body`} aria-labelledby={`${id}-${shown.name}`} tabIndex={-1}><Body key={shown.name} doc={doc} /></div>}
    </>
  );
}
