// The layers of the page, as a tree: topmost first, as they are painted.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Input } from '../ui/field.tsx';
import * as commands from './commands.ts';
import type { Doc } from './document.ts';
import type { DocNode } from './model.ts';
import { ways } from './targets.ts';

const signs: Record<string, string> = { text: 'T', image: '▣', shape: '◼', group: '▢', stack: '☰', element: '⌗', opaque: '⟨⟩', page: '▭' };

interface State {
  doc: Doc;
  closed: Signal<Set<string>>;
  active: Signal<string>; // that has the focus
  renaming: Signal<string>;
  drag: Signal<{ address: string; over: string; place: 'before' | 'after' | 'in' } | null>;
  found: Set<string> | null; // by the search, with what they stand in
}

const holds = (n: DocNode) => n.kind === 'group' || n.kind === 'stack';

/** shown are the rows that are open to be seen, in order. */
function shown(s: State): string[] {
  const rows: string[] = [];
  const add = (address: string) => {
    if (s.found && !s.found.has(address)) return;
    rows.push(address);
    if (!s.closed.value.has(address) || s.found) for (const c of [...s.doc.node(address)?.children ?? []].reverse()) add(c);
  };
  for (const c of [...s.doc.node(s.doc.page.value)?.children ?? []].reverse()) add(c);
  return rows;
}

function Name({ s, n }: { s: State; n: DocNode }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const end = (keep: boolean) => {
    if (s.renaming.value !== n.address) return;
    s.renaming.value = '';
    const name = field.current?.value ?? '';
    if (keep && name !== (n.name ?? '')) commands.rename(s.doc, n.address, name);
    document.getElementById(`layer-${n.address}`)?.focus();
  };
  return (
    <input ref={field} class="input" aria-label={`Name of ${s.doc.title(n.address)}`} defaultValue={n.name ?? ''} placeholder={n.id} onBlur={() => end(true)} onClick={(e) => e.stopPropagation()}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === 'Enter' || e.key === 'Escape') end(e.key === 'Enter');
      }} />
  );
}

function Branch({ s, address, level }: { s: State; address: string; level: number }) {
  const { doc } = s, n = doc.node(address);
  if (!n || s.found && !s.found.has(address)) return null;
  const open = !s.closed.value.has(address) || s.found !== null, chosen = doc.selection.value.includes(address), out = commands.hidden(doc, n), drag = s.drag.value;
  const size = doc.override.value, other = size && Object.keys(n.overrides?.[size] ?? {}).length > 0;
  const trouble = doc.problems.value.find((p) => p.node === address);
  const title = doc.title(address), locked = 'p-lock' in n.attrs;
  return (
    <li role="treeitem" id={`layer-${address}`} aria-level={level} aria-selected={chosen} aria-expanded={n.children.length > 0 ? open : undefined} tabIndex={s.active.value === address ? 0 : -1}
      aria-label={`${title}, ${n.element ?? n.kind}${n.locked ? ', locked' : ''}${out ? ', hidden' : ''}${other ? `, overridden in ${size}` : ''}${trouble ? `, ${trouble.message}` : ''}`}
      onFocus={(e) => e.target === e.currentTarget && (s.active.value = address)}>
      <div class="layer" data-drop={drag?.over === address ? drag.place : undefined} data-off={out || undefined} data-hover={doc.hovered.value === address || undefined} style={{ paddingLeft: `${level * 0.9}rem` }}
        draggable={s.renaming.value !== address}
        onPointerEnter={() => (doc.hovered.value = address)} onPointerLeave={() => (doc.hovered.value = '')}
        onClick={(e) => {
          document.getElementById(`layer-${address}`)?.focus();
          pick(s, address, e.shiftKey, e.ctrlKey || e.metaKey);
        }}
        onDblClick={() => (s.renaming.value = address)}
        onDragStart={(e) => { s.drag.value = { address, over: '', place: 'after' }; e.dataTransfer?.setData('text/plain', title); e.stopPropagation(); }}
        onDragEnd={() => (s.drag.value = null)}
        onDragOver={(e) => over(e, s, n)}
        onDrop={(e) => { e.preventDefault(); e.stopPropagation(); dropped(s); }}>
        {n.children.length > 0 ? <button type="button" class="twist" tabIndex={-1} aria-hidden="true" onClick={(e) => { e.stopPropagation(); fold(s, address, open); }}>{open ? '▾' : '▸'}</button> : <span class="twist" />}
        <span class="sign" aria-hidden="true">{signs[n.kind]}</span>
        {s.renaming.value === address ? <Name s={s} n={n} /> : <span class="clip name">{title}</span>}
        {n.bindings.length > 0 && <span class="mark" title="Bound to data" aria-hidden="true">⚡︎</span>}
        {other && <span class="mark" title={`Has overrides in ${size}`} aria-hidden="true">◆</span>}
        {trouble && <span class="mark bad" title={trouble.message} aria-hidden="true">▲</span>}
        <button type="button" class="tool" tabIndex={-1} aria-label={`${locked ? 'Unlock' : 'Lock'} ${title}`} title={locked ? 'Unlock' : 'Lock'} data-on={locked || undefined} onClick={(e) => { e.stopPropagation(); commands.lock(doc, [address], !locked); }}>{locked ? '🔒︎' : '🔓︎'}</button>
        <button type="button" class="tool" tabIndex={-1} aria-label={`${out ? 'Show' : 'Hide'} ${title}`} title={out ? 'Show' : 'Hide'} data-on={out || undefined} disabled={n.locked} onClick={(e) => { e.stopPropagation(); commands.hide(doc, [address], !out); }}>{out ? '⊘' : '◉'}</button>
      </div>
      {n.children.length > 0 && open && <ul role="group">{[...n.children].reverse().map((c) => <Branch key={c} s={s} address={c} level={level + 1} />)}</ul>}
    </li>
  );
}

function pick(s: State, address: string, range: boolean, add: boolean): void {
  const { doc } = s, parent = doc.node(address)?.parent ?? '';
  doc.scope.value = parent === doc.page.value ? '' : parent;
  if (range && doc.selection.value.length > 0) {
    const rows = shown(s), a = rows.indexOf(doc.selection.value[0]!), b = rows.indexOf(address);
    doc.select(a < 0 ? [address] : a <= b ? rows.slice(a, b + 1) : rows.slice(b, a + 1).reverse());
  } else if (add && doc.selection.value.includes(address)) doc.select(doc.selection.value.filter((x) => x !== address));
  else doc.select([address], add);
}

function fold(s: State, address: string, shut: boolean): void {
  const next = new Set(s.closed.value);
  if (shut) next.add(address);
  else next.delete(address);
  s.closed.value = next;
}

function over(e: DragEvent, s: State, n: DocNode): void {
  const { value: drag } = s.drag;
  if (!drag || drag.address === n.address || ways(s.doc, n.address).some((w) => w.address === drag.address)) return;
  e.preventDefault();
  e.stopPropagation();
  const rect = (e.currentTarget as HTMLElement).getBoundingClientRect(), part = (e.clientY - rect.top) / rect.height;
  const place = holds(n) && part > 0.3 && part < 0.7 ? 'in' : part < 0.5 ? 'before' : 'after';
  if (drag.over !== n.address || drag.place !== place) s.drag.value = { ...drag, over: n.address, place };
}

function dropped(s: State): void {
  const { value: drag } = s.drag;
  s.drag.value = null;
  const to = drag && s.doc.node(drag.over);
  if (!to) return;
  if (drag.place === 'in') move(s.doc, drag.address, to.address, to.children.length);
  else {
    // What stands first in the list is painted last.
    const beside = s.doc.node(to.parent)!.children.filter((c) => c !== drag.address);
    move(s.doc, drag.address, to.parent, beside.indexOf(to.address) + (drag.place === 'before' ? 1 : 0));
  }
}

function move(doc: Doc, address: string, parent: string, index: number): void {
  const n = doc.node(address)!;
  if (n.parent === parent && doc.node(parent)!.children.indexOf(address) === index) return;
  const { id, ops } = doc.named(address);
  void doc.apply([...ops, { op: 'move_node', id, parent, index }], { label: `Move ${doc.title(address)} among the layers`, select: [id] });
}

/** moveBy moves a layer among the rows by keys: up and down, into the group above, out of its own. */
function moveBy(doc: Doc, address: string, way: string): void {
  const n = doc.node(address)!, parent = doc.node(n.parent)!, at = parent.children.indexOf(address);
  if (way === 'ArrowUp' && at < parent.children.length - 1) move(doc, address, parent.address, at + 1);
  else if (way === 'ArrowDown' && at > 0) move(doc, address, parent.address, at - 1);
  else if (way === 'ArrowLeft' && parent.kind !== 'page') move(doc, address, parent.parent, doc.node(parent.parent)!.children.indexOf(parent.address) + 1);
  else if (way === 'ArrowRight') {
    const above = doc.node(parent.children[at + 1] ?? '');
    if (above && holds(above)) move(doc, address, above.address, 0);
  }
}

export function Layers({ doc }: { doc: Doc }) {
  const search = useSignal(''), closed = useSignal(new Set<string>()), active = useSignal(''), renaming = useSignal(''), drag = useSignal<State['drag']['value']>(null);
  const words = search.value.trim().toLowerCase();
  let found: Set<string> | null = null;
  if (words) {
    found = new Set();
    for (const n of doc.nodes.value.values()) if (`${doc.title(n.address)} ${n.id ?? ''} ${n.kind} ${n.element ?? ''} ${n.text ?? ''}`.toLowerCase().includes(words)) for (const w of ways(doc, n.address)) found.add(w.address);
  }
  const s: State = { doc, closed, active, renaming, drag, found };
  const rows = shown(s), page = doc.node(doc.page.value);
  if (!rows.includes(active.value)) queueMicrotask(() => (active.value = doc.selection.value.find((a) => rows.includes(a)) ?? rows[0] ?? ''));

  // What is chosen on the canvas comes into sight here.
  const first = doc.selection.value[0];
  useEffect(() => {
    if (first) document.getElementById(`layer-${first}`)?.firstElementChild?.scrollIntoView({ block: 'nearest' });
  }, [first]);

  const key = (e: KeyboardEvent) => {
    const at = rows.indexOf(active.value), address = rows[at], n = address ? doc.node(address) : undefined;
    if (!n || !address || renaming.value) return;
    const go = (to: string | undefined) => {
      if (!to) return;
      active.value = to;
      document.getElementById(`layer-${to}`)?.focus();
      if (!e.ctrlKey) pick(s, to, e.shiftKey, false);
    };
    if (e.altKey && e.key.startsWith('Arrow')) moveBy(doc, address, e.key);
    else if (e.key === 'ArrowDown') go(rows[at + 1]);
    else if (e.key === 'ArrowUp') go(rows[at - 1]);
    else if (e.key === 'Home') go(rows[0]);
    else if (e.key === 'End') go(rows.at(-1));
    else if (e.key === 'ArrowRight') {
      if (n.children.length > 0 && closed.value.has(address)) fold(s, address, false);
      else if (n.children.length > 0) go(rows[at + 1]);
    } else if (e.key === 'ArrowLeft') {
      if (n.children.length > 0 && !closed.value.has(address)) fold(s, address, true);
      else go(rows.includes(n.parent) ? n.parent : undefined);
    } else if (e.key === 'Enter' || e.key === ' ') pick(s, address, false, e.ctrlKey || e.key === ' ');
    else if (e.key === 'F2') renaming.value = address;
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="layers">
      <Input aria-label="Find a layer" type="search" placeholder="Find a layer" value={search.value} change={(v) => (search.value = v)} />
      {rows.length === 0 ? <p class="soft small">{words ? 'No layer has these words.' : page ? 'The page is empty. Insert a layer, or drop a picture on the canvas.' : 'Loading …'}</p>
        : <ul role="tree" aria-label="Layers" aria-multiselectable="true" onKeyDown={key}>{[...page?.children ?? []].reverse().map((c) => <Branch key={c} s={s} address={c} level={1} />)}</ul>}
    </div>
  );
}
