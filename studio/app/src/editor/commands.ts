// What menus, keys and the toolbar do to the selection. Each is one step of
// undo.

import type { Doc } from './document.ts';
import { around, rectOf, resized, turned, type Rect } from './geometry.ts';
import { setBoxes } from './live.ts';
import type { Box, DocNode, Op } from './model.ts';
import { topmost } from './targets.ts';

/** chosen are the selected layers that may be changed, without those that stand in another. */
export function chosen(doc: Doc): DocNode[] {
  return topmost(doc, doc.selection.value).map((a) => doc.node(a)!).filter((n) => n.kind !== 'page' && !n.locked);
}

/** inOrder sorts layers as they stand in the document. */
function inOrder(doc: Doc, nodes: DocNode[]): DocNode[] {
  const order = [...doc.nodes.value.values()].sort((a, b) => a.span[0] - b.span[0]).map((n) => n.address);
  return [...nodes].sort((a, b) => order.indexOf(a.address) - order.indexOf(b.address));
}

/** prepared gives every layer an id, with the operations for those that have none. */
function prepared(doc: Doc, nodes: DocNode[]): { ids: string[]; ops: Op[] } {
  const taken = new Set<string>(), ids: string[] = [], ops: Op[] = [];
  for (const n of nodes) {
    const named = n.address.startsWith('/') ? doc.freeId(n.element ?? n.kind, taken) : n.address;
    taken.add(named);
    ids.push(named);
    if (named !== n.address) ops.push({ op: 'ensure_id', path: n.address, id: named });
  }
  return { ids, ops };
}

const many = (what: string, nodes: DocNode[], doc: Doc) => (nodes.length === 1 ? `${what} ${doc.title(nodes[0]!.address)}` : `${what} ${nodes.length} layers`);

export function remove(doc: Doc): void {
  const nodes = chosen(doc), { ids, ops } = prepared(doc, nodes);
  void doc.apply([...ops, ...ids.map((id) => ({ op: 'remove_node', id }))], { label: many('Delete', nodes, doc) });
}

export function duplicate(doc: Doc): void {
  const nodes = inOrder(doc, chosen(doc)), { ids, ops } = prepared(doc, nodes);
  const taken = new Set(ids), size = doc.override.value;
  const copies = ids.map((id) => {
    const copy = doc.freeId(id.replace(/-\d+$/, ''), taken);
    taken.add(copy);
    return copy;
  });
  const places = nodes.map((n, i): Op[] => {
    const left = parseFloat(doc.style(n.address, 'left')), top = parseFloat(doc.style(n.address, 'top'));
    if (Number.isNaN(left) || Number.isNaN(top) || doc.node(n.parent)?.kind === 'stack') return [];
    return [{ op: 'set_box', id: copies[i], box: { left: left + 10, top: top + 10 }, ...(size ? { size } : {}) }];
  });
  void doc.apply([...ops, ...ids.map((id, i) => ({ op: 'duplicate_node', id, to_id: copies[i] })), ...places.flat()], { label: many('Duplicate', nodes, doc), select: copies });
}

/** siblingsOnly are the selected layers if they stand in one parent; grouping needs that. */
function siblingsOnly(doc: Doc): DocNode[] {
  const nodes = inOrder(doc, chosen(doc));
  return nodes.every((n) => n.parent === nodes[0]!.parent) ? nodes : [];
}

export function group(doc: Doc): void {
  const nodes = siblingsOnly(doc);
  if (nodes.length === 0) return;
  const { ids, ops } = prepared(doc, nodes), id = doc.freeId('group');
  void doc.apply([...ops, { op: 'group', ids, id }], { label: many('Group', nodes, doc), select: [id] });
}

export function stack(doc: Doc, direction: 'row' | 'column' | 'grid'): void {
  const nodes = siblingsOnly(doc);
  if (nodes.length === 0) return;
  const { ids, ops } = prepared(doc, nodes), id = doc.freeId('stack');
  void doc.apply([...ops, { op: 'wrap_stack', ids, id, direction }], { label: `Stack as ${direction}`, select: [id] });
}

export function ungroup(doc: Doc): void {
  const nodes = chosen(doc).filter((n) => n.kind === 'group'), { ids, ops } = prepared(doc, nodes);
  const children = nodes.flatMap((n) => n.children);
  void doc.apply([...ops, ...ids.map((id) => ({ op: 'ungroup', id }))], { label: many('Ungroup', nodes, doc), select: children.filter((c) => !c.startsWith('/')) });
}

/** reorder paints layers earlier or later among those beside them. */
export function reorder(doc: Doc, to: 'forward' | 'backward' | 'front' | 'back'): void {
  const nodes = siblingsOnly(doc), parent = doc.node(nodes[0]?.parent ?? '');
  if (nodes.length === 0 || !parent) return;
  const { ids, ops } = prepared(doc, nodes), moving = new Set(nodes.map((n) => n.address)), rest = parent.children.filter((c) => !moving.has(c));
  const first = parent.children.findIndex((c) => moving.has(c)), last = parent.children.findLastIndex((c) => moving.has(c));
  const passed = parent.children.slice(0, first).length, behind = parent.children.slice(0, last + 1).filter((c) => !moving.has(c)).length;
  const index = { front: rest.length, back: 0, forward: Math.min(rest.length, behind + 1), backward: Math.max(0, passed - 1) }[to];
  // Others keep their order; each goes to its index in what the ones before made.
  const moves = (to === 'front' || to === 'forward' ? [...ids.entries()].reverse() : [...ids.entries()]).map(([i, id]): Op => ({ op: 'move_node', id, parent: parent.address, index: index + i }));
  const now = [...rest.slice(0, index), ...nodes.map((n) => n.address), ...rest.slice(index)];
  if (now.every((c, i) => c === parent.children[i])) return;
  void doc.apply([...ops, ...moves], { label: { forward: 'Bring forward', backward: 'Send backward', front: 'Bring to front', back: 'Send to back' }[to] });
}

export function lock(doc: Doc, addresses: string[], locked: boolean): void {
  const nodes = addresses.map((a) => doc.node(a)!), { ids, ops } = prepared(doc, nodes);
  void doc.apply([...ops, ...ids.map((id) => ({ op: 'set_attr', id, name: 'p-lock', value: locked ? 'true' : null }))], { label: many(locked ? 'Lock' : 'Unlock', nodes, doc) });
}

/** hidden says whether a layer is out of the page in the size in view. */
export function hidden(doc: Doc, n: DocNode): boolean {
  const size = doc.override.value;
  const own = size ? n.overrides?.[size] : undefined;
  if (own && ('display' in own || 'visibility' in own)) return n.hiddenIn?.includes(size!) ?? false;
  return n.hidden;
}

export function hide(doc: Doc, addresses: string[], on: boolean): void {
  const nodes = addresses.map((a) => doc.node(a)!), { ids, ops } = prepared(doc, nodes), size = doc.override.value;
  void doc.apply([...ops, ...ids.map((id) => ({ op: 'set_hidden', id, hidden: on, ...(size ? { size } : {}) }))], { label: many(on ? 'Hide' : 'Show', nodes, doc) });
}

export function rename(doc: Doc, address: string, name: string): void {
  const { id, ops } = doc.named(address);
  void doc.apply([...ops, { op: 'set_attr', id, name: 'p-name', value: name.trim() || null }], { label: `Rename ${doc.title(address)}` });
}

export function selectAll(doc: Doc): void {
  const holder = doc.node(doc.scope.value || doc.page.value);
  doc.select((holder?.children ?? []).filter((a) => !doc.node(a)!.locked && doc.box(a)));
}

export type Alignment = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom';

/** align brings layers to one line: of all that are selected, or, of one, of its page or group. */
export function align(doc: Doc, to: Alignment): void {
  const nodes = chosen(doc), rects = nodes.map((n) => doc.box(n.address)).filter((b) => b !== null).map(rectOf);
  const whole = nodes.length === 1 ? holderRect(doc, nodes[0]!) : around(rects);
  if (!whole) return;
  const by = (r: Rect): [number, number] => ({
    left: [whole.left - r.left, 0], right: [whole.right - r.right, 0], center: [(whole.left + whole.right - r.left - r.right) / 2, 0],
    top: [0, whole.top - r.top], bottom: [0, whole.bottom - r.bottom], middle: [0, (whole.top + whole.bottom - r.top - r.bottom) / 2],
  } satisfies Record<Alignment, [number, number]>)[to];
  void setBoxes(doc, new Map(nodes.map((n) => [n.address, (b: Box) => {
    const [dx, dy] = by(rectOf(b));
    return { ...b, x: b.x + dx, y: b.y + dy };
  }])), `Align ${to}`);
}

function holderRect(doc: Doc, n: DocNode): Rect | null {
  const parent = doc.node(n.parent);
  if (parent?.kind === 'group') {
    const box = doc.box(parent.address);
    if (box && box.width > 0 && box.height > 0) return rectOf(box);
  }
  const { value: view } = doc.view;
  return view && { left: 0, top: 0, right: view.width, bottom: view.height };
}

/** distribute makes the gaps between three layers or more equal. */
export function distribute(doc: Doc, axis: 'x' | 'y'): void {
  const low = axis === 'x' ? 'left' : 'top', high = axis === 'x' ? 'right' : 'bottom';
  const all = chosen(doc).map((n) => ({ address: n.address, box: doc.box(n.address) })).filter((i) => i.box !== null)
    .map((i) => ({ address: i.address, rect: rectOf(i.box!) })).sort((a, b) => a.rect[low] - b.rect[low]);
  if (all.length < 3) return;
  const first = all[0]!.rect[low], last = Math.max(...all.map((i) => i.rect[high]));
  const gap = (last - first - all.reduce((n, i) => n + i.rect[high] - i.rect[low], 0)) / (all.length - 1);
  let at = first;
  const boxes = new Map<string, (b: Box) => Box>();
  for (const { address, rect } of all) {
    const by = at - rect[low];
    boxes.set(address, (b) => (axis === 'x' ? { ...b, x: b.x + by } : { ...b, y: b.y + by }));
    at += rect[high] - rect[low] + gap;
  }
  void setBoxes(doc, boxes, axis === 'x' ? 'Distribute horizontally' : 'Distribute vertically');
}

/** resetSize makes layers in the size in view what they are in all. */
export function resetSize(doc: Doc, addresses: string[], size: string): void {
  const nodes = addresses.map((a) => doc.node(a)!).filter((n) => n.overrides?.[size]);
  void doc.apply(nodes.map((n) => ({ op: 'remove_override', id: n.address, size })), { label: `Reset to base in ${size}` });
}

/** grow changes the size of the selection by pixels; what it is turned around stays its top left. */
export function grow(doc: Doc, width: number, height: number): void {
  const nodes = chosen(doc);
  if (nodes.length === 0) return;
  void setBoxes(doc, new Map(nodes.map((n) => [n.address, (b: Box) => resized(b, { x: 1, y: 1 }, turned({ x: width, y: height }, b.angle))])), many('Resize', nodes, doc), `grow ${nodes.map((n) => n.address).join(' ')}`);
}

/** turn rotates each selected layer around its middle. */
export function turn(doc: Doc, degrees: number): void {
  const nodes = chosen(doc);
  if (nodes.length === 0) return;
  void setBoxes(doc, new Map(nodes.map((n) => [n.address, (b: Box) => ({ ...b, angle: b.angle + degrees })])), many('Rotate', nodes, doc), `turn ${nodes.map((n) => n.address).join(' ')}`);
}

/** toggleLock locks the selection, or unlocks it where all of it is locked by itself. */
export function toggleLock(doc: Doc): void {
  const nodes = doc.selected.value.filter((n) => n.kind !== 'page');
  if (nodes.length > 0) lock(doc, nodes.map((n) => n.address), !nodes.every((n) => n.locked));
}

export function toggleHidden(doc: Doc): void {
  const nodes = chosen(doc);
  if (nodes.length > 0) hide(doc, nodes.map((n) => n.address), !nodes.every((n) => hidden(doc, n)));
}
