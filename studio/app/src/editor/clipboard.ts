// Copy, cut and paste: layers travel as their source, so that they may go to
// another template or another window. Without any right but the key itself.

import { tell } from '../ui/toast.tsx';
import { chosen, remove } from './commands.ts';
import type { Doc } from './document.ts';
import { insertFiles } from './insert.ts';
import type { DocNode } from './model.ts';

const type = 'web application/x-pictifyd-layers';

interface Copied {
  html: string;
  overrides: Record<string, Record<string, Record<string, string>>>;
}

function copied(doc: Doc): Copied | null {
  const nodes = chosen(doc);
  if (nodes.length === 0) return null;
  const overrides: Copied['overrides'] = {};
  const note = (n: DocNode) => {
    for (const [size, properties] of Object.entries(n.overrides ?? {})) if (n.id) (overrides[size] ??= {})[n.id] = properties;
    for (const c of n.children) note(doc.node(c)!);
  };
  nodes.sort((a, b) => a.span[0] - b.span[0]).forEach(note);
  return { html: nodes.map((n) => doc.source.value.slice(...n.span)).join('\n'), overrides };
}

const elsewhere = (e: Event) => {
  const at = e.target as HTMLElement | null;
  return at?.closest?.('input, textarea, select, [contenteditable], dialog, .cm-editor') != null;
};

/** listen answers the browser's own events; what it returns ends that. */
export function listen(doc: Doc): () => void {
  const copy = (e: ClipboardEvent) => {
    if (elsewhere(e) || doc.editing.value || getSelection()?.toString()) return;
    const what = copied(doc);
    if (!what || !e.clipboardData) return;
    e.preventDefault();
    e.clipboardData.setData(type, JSON.stringify(what));
    e.clipboardData.setData('text/plain', what.html);
    if (e.type === 'cut') remove(doc);
  };
  const paste = (e: ClipboardEvent) => {
    if (elsewhere(e) || doc.editing.value || !e.clipboardData) return;
    const files = [...e.clipboardData.files].filter((f) => f.type.startsWith('image/'));
    const text = e.clipboardData.getData(type);
    if (files.length > 0) {
      e.preventDefault();
      void insertFiles(doc, files, null).catch(tell);
    } else if (text) {
      e.preventDefault();
      void put(doc, JSON.parse(text) as Copied);
    }
  };
  const stop = new AbortController(), { signal } = stop;
  addEventListener('copy', copy, { signal });
  addEventListener('cut', copy, { signal });
  addEventListener('paste', paste, { signal });
  return () => stop.abort();
}

/** put pastes layers into the group that was entered, or the page; behind the selection where that stands there. */
async function put(doc: Doc, what: Copied): Promise<void> {
  const parent = doc.scope.value || doc.page.value, before = new Set(doc.nodes.value.keys());
  const sizes = new Set(doc.manifest.value.sizes.map((s) => s.name));
  const overrides = Object.fromEntries(Object.entries(what.overrides).filter(([size]) => sizes.has(size)));
  const ok = await doc.apply([{ op: 'paste', html: what.html, parent, ...(Object.keys(overrides).length > 0 ? { overrides } : {}) }], { label: 'Paste' });
  if (ok) doc.select([...doc.nodes.value.values()].filter((n) => n.parent === parent && !before.has(n.address)).map((n) => n.address));
}
