// Design tokens, and the themes that have other values for them.

import { useState } from 'preact/hooks';

import { Field, Input } from '../../ui/field.tsx';
import { Empty } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { ColourField, resolved } from '../fields/colour.tsx';
import { colourOf } from '../fields/colours.ts';
import { Later } from './variables.tsx';
import './panels.css';

const wellNamed = /^[A-Za-z_][\w-]*$/;

export function Tokens({ doc }: { doc: Doc }) {
  const themes = doc.themes.value;
  const theme = doc.order.value.theme ?? '';
  const all = doc.tokens.value;
  const base = all.find((t) => t.theme === '')?.tokens ?? [];
  const own = all.find((t) => t.theme === theme)?.tokens ?? [];
  const names = [...base.map((t) => t.name), ...own.filter((o) => !base.some((b) => b.name === o.name)).map((o) => o.name)];
  const shown = names.map((name) => ({ name, value: own.find((t) => t.name === name)?.value ?? base.find((t) => t.name === name)?.value ?? '', ofTheme: theme !== '' && own.some((t) => t.name === name) }));
  const [name, setName] = useState('');
  const [fresh, setFresh] = useState('');
  const [asking, setAsking] = useState(false);
  const fault = name && !wellNamed.test(name) ? 'Letters, digits, - and _.' : names.includes(name) ? 'There is one of this name.' : '';
  const set = (token: string, value: string | null) => void doc.apply([{ op: 'set_token', name: token, value, ...(theme ? { theme } : {}) }], { label: `Change --${token}`, merge: `token ${token} ${theme}` });
  const uses = (token: string) => doc.source.value.split(`var(--${token}`).length - 1;
  const addToken = (e: Event) => {
    e.preventDefault();
    if (!name || fault) return;
    void doc.apply([{ op: 'set_token', name, value: '#0f766e' }], { label: `Add --${name}` }).then((ok) => ok && setName(''));
  };
  const addTheme = (e: Event) => {
    e.preventDefault();
    if (!wellNamed.test(fresh) || themes.includes(fresh)) return;
    void doc.apply([{ op: 'add_theme', name: fresh }], { label: `Add the theme ${fresh}` }).then((ok) => {
      if (!ok) return;
      doc.setOrder({ theme: fresh });
      setFresh('');
    });
  };
  return (
    <div class="stack">
      <div class="segments theme-choice" role="radiogroup" aria-label="Theme">
        {['', ...themes].map((t) => <label key={t}><input type="radio" name="theme-of-tokens" checked={theme === t} onChange={() => doc.setOrder({ theme: t || undefined })} />{t || 'All'}</label>)}
      </div>
      {theme && <p class="help">What you change here holds in {theme} only.</p>}
      <ul class="entries" aria-label="Tokens">
        {shown.map((t) => (
          <li key={t.name} class="token">
            <span class="spread"><span class="mono wrap">--{t.name}</span><span class="soft small">{counted(uses(t.name), 'use')}{t.ofTheme && <button type="button" class="badge" aria-label={`Only in ${theme}: reset --${t.name}`} onClick={() => set(t.name, null)}>{theme} ↺</button>}{!theme && uses(t.name) === 0 && <button type="button" class="button plain" aria-label={`Remove --${t.name}`} onClick={() => set(t.name, null)}>Remove</button>}</span></span>
            {colourOf(resolved(t.value, shown)) ? <ColourField label={`--${t.name}`} value={t.value} tokens={shown.filter((o) => o.name !== t.name)} change={(value) => value !== null && set(t.name, value)} /> : <Later label={`Value of --${t.name}`} value={t.value} check={(v) => (v.trim() ? '' : 'A token has a value.')} commit={(value) => set(t.name, value)} />}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <Empty title="No tokens yet"><p>A token is a colour or a value with a name. Change it once, and all that uses it follows.</p></Empty>}
      <form class="add-line" onSubmit={addToken}><Field label="New token" wrong={fault || undefined}><Input value={name} placeholder="accent" change={setName} onKeyDown={(e) => e.stopPropagation()} /></Field><button type="submit" class="button" disabled={!name || fault !== ''}>Add</button></form>
      <form class="add-line" onSubmit={addTheme}><Field label="New theme" wrong={fresh && (!wellNamed.test(fresh) || themes.includes(fresh)) ? 'A name that is not there yet, of letters, digits, - and _.' : undefined}><Input value={fresh} placeholder="dark" change={setFresh} onKeyDown={(e) => e.stopPropagation()} /></Field><button type="submit" class="button" disabled={!fresh}>Add</button></form>
      {theme && (asking
        ? <p class="row"><button type="button" class="button danger" onClick={() => { setAsking(false); doc.setOrder({ theme: undefined }); void doc.apply([{ op: 'remove_theme', name: theme }], { label: `Remove the theme ${theme}` }); }}>Remove {theme} with {counted(own.length, 'value')}</button><button type="button" class="button" onClick={() => setAsking(false)}>Keep it</button></p>
        : <p><button type="button" class="button" onClick={() => setAsking(true)}>Remove the theme {theme} …</button></p>)}
    </div>
  );
}
