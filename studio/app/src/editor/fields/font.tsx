// The font of a text: what the machine that renders has, and what the template
// brings, each shown in itself where this browser has it too.

import { useMemo, useState } from 'preact/hooks';

import type { Doc } from '../document.ts';
import { useLoad } from '../../ui/load.ts';
import { Trouble } from '../../ui/show.tsx';
import { path } from '../../api/client.ts';
import { Popover } from './popover.tsx';

export interface FontFamily {
  family: string;
  origin: 'machine' | 'template';
  styles: { style: string; weight: string; italic: boolean; file?: string }[];
  scripts: string[];
}

export interface Fonts {
  families: FontFamily[];
  scripts: string[];
  complete: boolean;
  note?: string;
}

/** useFonts are the fonts that a template may use. */
export const useFonts = (doc: Doc) => useLoad<Fonts>(path`/fonts?template=${doc.id}`, [Object.keys(doc.assets.value).join()]);

const generic = ['sans-serif', 'serif', 'monospace', 'system-ui'];

/** quoted is a family as CSS has it, with what stands in where it is not there. */
export const quoted = (family: string): string => (generic.includes(family) ? family : /^[A-Za-z][\w-]*( [A-Za-z][\w-]*)*$/.test(family) ? `${family}, sans-serif` : `"${family.replace(/["\\]/g, '\\$&')}", sans-serif`);

/** plainFamily is the first family of a font-family. */
export const plainFamily = (value: string | undefined): string => /^\s*(?:"([^"]*)"|'([^']*)'|([^,]*))/.exec(value ?? '')?.slice(1).find((m) => m !== undefined)?.trim() ?? '';

export function FontField({ doc, value, mixed, now, change, disabled }: { doc: Doc; value: string | undefined; mixed: boolean; now: string; change: (value: string | null) => void; disabled?: boolean }) {
  const name = mixed ? 'mixed' : value ? plainFamily(value) : `as inherited${now ? `: ${plainFamily(now)}` : ''}`;
  return (
    <Popover label={`Font: ${name}`} kind="input swatch-field" disabled={disabled} button={<span class="clip" style={value && !value.includes('{{') ? { fontFamily: value } : {}}>{name}</span>}>
      {(close) => <FontList doc={doc} value={plainFamily(value)} pick={(family) => { change(family && quoted(family)); close(); }} />}
    </Popover>
  );
}

function FontList({ doc, value, pick }: { doc: Doc; value: string; pick: (family: string | null) => void }) {
  const { data, error, again } = useFonts(doc);
  const [find, setFind] = useState('');
  const shown = useMemo(() => (data?.families ?? []).filter((f) => f.family.toLowerCase().includes(find.toLowerCase())), [data, find]);
  const move = (e: KeyboardEvent) => {
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    e.preventDefault();
    const all = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('input, button')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + (e.key === 'ArrowDown' ? 1 : all.length - 1)) % all.length]?.focus();
  };
  const row = (family: string, note: string) => (
    <button key={`${family} ${note}`} type="button" class="font-row" aria-pressed={family === value} onClick={() => pick(family)}><span class="clip" style={{ fontFamily: quoted(family) }}>{family}</span><span class="soft small">{note}</span></button>
  );
  return (
    <div class="font-list" onKeyDown={move}>
      <input class="input" type="search" aria-label="Find a font" placeholder="Find a font" value={find} onInput={(e) => setFind(e.currentTarget.value)} />
      {error !== undefined && <Trouble error={error} again={again} />}
      <div class="font-rows">
        {shown.filter((f) => f.origin === 'template').map((f) => row(f.family, 'in the template'))}
        {shown.filter((f) => f.origin !== 'template').map((f) => row(f.family, f.scripts.slice(0, 2).join(', ')))}
        {generic.filter((g) => g.includes(find)).map((g) => row(g, 'as the machine has it'))}
      </div>
      {data?.note && <p class="help">{data.note}</p>}
      <button type="button" class="button plain" onClick={() => pick(null)}>As inherited</button>
    </div>
  );
}
