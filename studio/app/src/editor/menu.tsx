// A button with a menu, as the ARIA practices have it.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface MenuItem {
  name: string;
  keys?: string;
  about?: string;
  off?: boolean;
  act: () => void;
}

export function Menu({ label, items, children, up }: { label: string; items: (MenuItem | null)[]; children: ComponentChildren; up?: boolean }) {
  const open = useSignal(false), box = useRef<HTMLDivElement>(null);
  const choices = () => [...box.current?.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)') ?? []];
  const close = (focus: boolean) => {
    open.value = false;
    if (focus) box.current?.querySelector('button')?.focus();
  };
  useEffect(() => {
    if (!open.value) return undefined;
    choices()[0]?.focus();
    const away = (e: PointerEvent) => !box.current?.contains(e.target as Node) && close(false);
    addEventListener('pointerdown', away, true);
    return () => removeEventListener('pointerdown', away, true);
  }, [open.value]);
  const key = (e: KeyboardEvent) => {
    if (!open.value) return;
    const all = choices(), at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (e.key === 'Escape' || e.key === 'Tab') close(e.key === 'Escape');
    else if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    else return;
    if (e.key !== 'Tab') e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="menu" data-up={up || undefined} ref={box} onKeyDown={key}>
      <button type="button" class="button" aria-haspopup="menu" aria-expanded={open.value} aria-label={label} title={label} onClick={() => (open.value = !open.value)}>{children}</button>
      {open.value && (
        <div role="menu" aria-label={label}>
          {items.map((item, i) => (item ? (
            <button key={item.name} type="button" role="menuitem" tabIndex={-1} disabled={item.off} title={item.about} onClick={() => { close(true); item.act(); }}>
              <span>{item.name}</span>{item.keys && <kbd>{item.keys}</kbd>}
            </button>
          ) : <hr key={i} />))}
        </div>
      )}
    </div>
  );
}
