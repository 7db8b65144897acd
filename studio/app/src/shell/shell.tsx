// The frame around every page.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';

import { liveness, overview, paused } from '../api/live.ts';
import { Toasts } from '../ui/toast.tsx';
import { SignIn, SignOut } from './session.tsx';
import { ThemeChoice } from './theme.tsx';
import './shell.css';

const places: { title?: string; links: [string, string][] }[] = [
  { links: [['/studio/', 'Overview'], ['/studio/bindings', 'Bindings'], ['/studio/jobs', 'Jobs'], ['/studio/images', 'Gallery'], ['/studio/batch', 'New batch']] },
  { title: 'Design', links: [['/studio/templates', 'Templates'], ['/studio/experiments', 'Experiments']] },
  { title: 'Delivery', links: [['/studio/deliveries', 'Deliveries'], ['/studio/dead-letters', 'Dead letters']] },
  { title: 'Set-up', links: [['/studio/sources', 'Sources'], ['/studio/sinks', 'Sinks'], ['/studio/system', 'System']] },
];

const words = { connecting: 'Connecting', live: 'Live', paused: 'Paused', lost: 'Disconnected' };

/** Live says whether what is shown is what is, and holds it still. */
export function Live() {
  const state = liveness.value;
  return (
    <button type="button" class="live" data-live={state} aria-pressed={paused.value} title={paused.value ? 'Show what comes again' : 'Hold what is shown still'} onClick={() => (paused.value = !paused.value)}>
      <i aria-hidden="true" /><span role="status">{words[state]}</span>
    </button>
  );
}

const here = (path: string, link: string) => (link === '/studio/' ? path === '/' || path === '/studio/' || path === '/studio' : path === link || path.startsWith(`${link}/`));

export function Shell({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const menu = useSignal(false);
  useEffect(() => {
    menu.value = false;
  }, [path]);
  const alone = /^\/studio\/templates\/[^/]+\/edit$/.test(path); // the editor has the window for itself
  return (
    <div class="shell" data-alone={alone || undefined} data-menu={menu.value ? 'open' : undefined} onKeyDown={(e) => e.key === 'Escape' && (menu.value = false)} onClick={(e) => e.target === e.currentTarget && (menu.value = false)}>
      <a class="skip" href="#page">Skip to the page</a>
      <div class="top">
        <button type="button" class="button" aria-expanded={menu.value} aria-controls="side" onClick={() => (menu.value = !menu.value)}>Menu</button>
        <Live />
      </div>
      <aside class="side" id="side">
        <a class="brand" href="/studio/"><img src="/studio/icon.svg" alt="" width="28" height="28" />pictifyd</a>
        <nav aria-label="Pages">
          {places.map((group) => (
            <div key={group.title ?? ''}>
              {group.title && <h2>{group.title}</h2>}
              {group.links.map(([link, name]) => <a key={link} href={link} aria-current={here(path, link) ? 'page' : undefined}>{name}</a>)}
            </div>
          ))}
        </nav>
        <div class="low">
          <Live />
          <ThemeChoice />
          <a href="/docs">API</a>
          <SignOut />
          <span>{overview.value ? `pictifyd ${overview.value.version}` : 'pictifyd'}</span>
        </div>
      </aside>
      {children}
      <Toasts />
      <SignIn />
    </div>
  );
}

/** Page is the body of a page, with its title and what can be done on it. */
export function Page({ title, over, actions, children }: { title: string; over?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} – pictifyd`;
  }, [title]);
  return (
    <main class="page" id="page" tabIndex={-1}>
      <header>
        {over && <p class="over">{over}</p>}
        <h1>{title}</h1>
        {actions && <div class="row">{actions}</div>}
      </header>
      {children}
    </main>
  );
}
