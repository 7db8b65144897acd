// The layers of the page, as a tree.

import type { Doc } from './document.ts';

function Branch({ doc, address, level }: { doc: Doc; address: string; level: number }) {
  const node = doc.node(address);
  if (!node) return null;
  const chosen = doc.selection.value.includes(address);
  return (
    <li role="treeitem" aria-level={level} aria-selected={chosen}>
      <button type="button" class="button plain" onClick={(e) => doc.select([address], e.shiftKey)}>{doc.title(address)}</button>
      {node.children.length > 0 && <ul role="group">{[...node.children].reverse().map((c) => <Branch key={c} doc={doc} address={c} level={level + 1} />)}</ul>}
    </li>
  );
}

export function Layers({ doc }: { doc: Doc }) {
  const page = doc.node(doc.page.value);
  return <ul role="tree" aria-label="Layers" aria-multiselectable="true">{page && [...page.children].reverse().map((c) => <Branch key={c} doc={doc} address={c} level={1} />)}</ul>;
}
