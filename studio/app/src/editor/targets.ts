// What a pointer means: which layers may be chosen, and what stands around them.

import type { Doc } from './document.ts';
import { rectOf, type Rect } from './geometry.ts';
import type { DocNode } from './model.ts';
import type { Point } from './stage.ts';

/** ways are the nodes from a layer up to the page, the layer first. */
export function ways(doc: Doc, address: string): DocNode[] {
  const found: DocNode[] = [];
  for (let n = doc.node(address); n; n = doc.node(n.parent)) found.push(n);
  return found;
}

/** target is the layer that a click at a point chooses: in the group that was entered, else the outermost; deep, the innermost. */
export function target(doc: Doc, point: Point, deep = false): { address: string; scope: string } | null {
  for (const hit of doc.frame?.under(point.x, point.y) ?? []) {
    const way = ways(doc, hit);
    const layers = way.filter((n) => n.kind !== 'page');
    if (layers.length === 0 || layers.some((n) => n.locked)) continue;
    if (deep) return { address: layers[0]!.address, scope: layers[0]!.parent === doc.page.value ? '' : layers[0]!.parent };
    const { value: scope } = doc.scope;
    const at = layers.findIndex((n) => n.address === scope);
    if (scope && at > 0) return { address: layers[at - 1]!.address, scope };
    if (scope && at === 0) continue; // the group itself is the ground while one is in it
    return { address: layers.at(-1)!.address, scope: '' };
  }
  return null;
}

/** topmost leaves out what stands in another that is named. */
export function topmost(doc: Doc, addresses: string[]): string[] {
  const named = new Set(addresses);
  return addresses.filter((a) => !ways(doc, a).slice(1).some((n) => named.has(n.address)));
}

/** siblings are the layers among which one chooses: those of the scope, that are not locked or hidden. */
export function siblings(doc: Doc): string[] {
  const holder = doc.node(doc.scope.value || doc.page.value);
  return (holder?.children ?? []).filter((a) => {
    const n = doc.node(a);
    return n && !n.locked && doc.box(a);
  });
}

/** neighbours are the rectangles that a moved layer may snap to: what stands beside those that move. */
export function neighbours(doc: Doc, moving: string[]): Rect[] {
  const inside = new Set(moving), rects: Rect[] = [];
  const look = (address: string, deep: boolean) => {
    for (const child of doc.node(address)?.children ?? []) {
      if (inside.has(child)) continue;
      const box = doc.box(child);
      if (box) rects.push(rectOf(box));
      if (deep && ways(doc, moving[0]!).some((n) => n.address === child)) look(child, true);
    }
  };
  look(doc.page.value, true);
  return rects;
}
