// Tabs: parts of a page, each with an address of its own.

import type { ComponentChildren, JSX } from 'preact';

export interface Tab {
  href: string;
  name: ComponentChildren;
}

/** Tabs are links; the arrow keys go from one to the next. The part that is open has the id of panel. */
export function Tabs({ label, tabs, here, panel }: { label: string; tabs: Tab[]; here: string; panel: string }) {
  const step = (e: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    const links = [...e.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = e.key === 'Home' ? links[0] : e.key === 'End' ? links.at(-1) : by && links[(at + by + links.length) % links.length];
    if (!next) return;
    e.preventDefault();
    next.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={step}>
      {tabs.map((t) => <a key={t.href} role="tab" href={t.href} aria-selected={t.href === here} aria-controls={panel} tabIndex={t.href === here ? 0 : -1}>{t.name}</a>)}
    </div>
  );
}
