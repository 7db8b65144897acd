// The inspector: what can be said of the layers that are selected.

import type { Doc } from '../document.ts';
import type { Kind } from '../model.ts';
import { Empty } from '../../ui/show.tsx';
import { Content } from './content.tsx';
import { Edit } from './edit.ts';
import { ElementOptions } from './elements.tsx';
import { LayerFacts } from './facts.tsx';
import { Paint } from './paint.tsx';
import { Picture } from './picture.tsx';
import { Place } from './place.tsx';
import { Presence } from './presence.tsx';
import { StackLayout } from './stack.tsx';
import { Type } from './type.tsx';
import './panels.css';

const words: Record<Kind, string> = { page: 'Page', text: 'Text', image: 'Picture', shape: 'Shape', group: 'Group', stack: 'Stack', element: 'Element', opaque: 'HTML' };

export function Inspector({ doc }: { doc: Doc }) {
  const chosen = doc.selected.value;
  const page = doc.node(doc.page.value);
  const nodes = chosen.length > 0 ? chosen : page ? [page] : [];
  if (nodes.length === 0) return <Empty title="Nothing is here yet"><p>Add a page to begin.</p></Empty>;
  const edit = new Edit(doc, nodes);
  const every = (...kinds: Kind[]) => nodes.every((n) => kinds.includes(n.kind));
  const onPage = every('page');
  const title = nodes.length > 1 ? `${nodes.length} layers` : doc.title(nodes[0]!.address);
  void doc.drawn.value; // what the browser has is read anew with each drawing
  void doc.view.value;
  return (
    <div class="inspector" aria-label="Inspector" role="region">
      <header class="inspector-head"><h2 class="clip">{title}</h2><span class="chip">{every(nodes[0]!.kind) ? nodes[0]!.element ?? words[nodes[0]!.kind] : 'several kinds'}</span>{doc.override.value && <span class="chip" data-level="warn" title="Geometry, type size and visibility are changed in this size only">in {doc.override.value}</span>}</header>
      {nodes.some((n) => n.locked) && <p class="note">{nodes.length > 1 ? 'Some of these layers are' : 'This layer is'} locked. <button type="button" class="button" onClick={() => void edit.setAttr('Unlock', 'p-lock', null)}>Unlock</button></p>}
      {!onPage && <Place edit={edit} />}
      {every('text') && <Content edit={edit} />}
      {every('text', 'element', 'stack', 'opaque') && <Type edit={edit} fits={every('text')} />}
      {every('image') && <Picture edit={edit} />}
      {every('element') && nodes.every((n) => n.element === nodes[0]!.element) && <ElementOptions edit={edit} />}
      {every('stack') && <StackLayout edit={edit} />}
      <Paint edit={edit} page={onPage} picture={every('image')} />
      <Presence edit={edit} page={onPage} />
      <LayerFacts edit={edit} page={onPage} />
    </div>
  );
}
