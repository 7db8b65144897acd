// The pages of the document, in their order.

import { useState } from 'preact/hooks';

import type { Doc } from '../document.ts';

export function Pages({ doc }: { doc: Doc }) {
  const { pages } = doc.manifest.value;
  const [asking, setAsking] = useState<string>();
  const named = (address: string) => doc.named(address);
  const add = () => void doc.apply([{ op: 'add_page', id: doc.freeId('page') }], { label: 'Add a page' }).then((ok) => ok && doc.goTo(doc.manifest.value.pages.length - 1));
  const copy = (address: string, index: number) => {
    const { id, ops } = named(address);
    void doc.apply([...ops, { op: 'duplicate_page', id, to_id: doc.freeId(`${id}-copy`) }], { label: 'Duplicate a page' }).then((ok) => ok && doc.goTo(index + 1));
  };
  const move = (address: string, index: number) => {
    const { id, ops } = named(address);
    void doc.apply([...ops, { op: 'move_page', id, index }], { label: 'Move a page' }).then((ok) => ok && doc.goTo(index));
  };
  const remove = (address: string) => {
    const { id, ops } = named(address);
    setAsking(undefined);
    void doc.apply([...ops, { op: 'remove_page', id }], { label: 'Remove a page' });
  };
  return (
    <div class="stack">
      <ol class="entries" aria-label="Pages">
        {pages.map((p, i) => (
          <li key={p.address} aria-current={i === doc.pageIndex.value ? 'page' : undefined}>
            <button type="button" class="entry" onClick={() => doc.goTo(i)}><span class="clip">{i + 1}. {doc.title(p.address)}</span><span class="soft small">{p.repeat ? `for each ${p.repeat}` : p.size ? `size ${p.size}` : ''}</span></button>
            {i === doc.pageIndex.value && (
              <div class="row">
                <button type="button" class="button" disabled={i === 0} aria-label="Move up" title="Move up" onClick={() => move(p.address, i - 1)}>↑</button>
                <button type="button" class="button" disabled={i === pages.length - 1} aria-label="Move down" title="Move down" onClick={() => move(p.address, i + 1)}>↓</button>
                <button type="button" class="button" onClick={() => copy(p.address, i)}>Duplicate</button>
                {asking === p.address
                  ? <button type="button" class="button danger" onClick={() => remove(p.address)}>Remove with {doc.node(p.address)?.children.length ?? 0} layers</button>
                  : <button type="button" class="button" disabled={pages.length < 2} title={pages.length < 2 ? 'A template has at least one page' : undefined} onClick={() => setAsking(p.address)}>Remove</button>}
              </div>
            )}
          </li>
        ))}
      </ol>
      <p><button type="button" class="button" onClick={add}>Add a page</button></p>
      <p class="help">A page that repeats over a list is set in the inspector: select nothing, then Shown.</p>
    </div>
  );
}
