// Gestures of a pointer on the canvas: each moves the elements of the frame while
// it goes on, and is one step when it ends. Escape takes it back.

import { signal } from '@preact/signals';

import { chosen } from './commands.ts';
import type { Doc } from './document.ts';
import { around, boxOfRect, direction, inTurn, meet, placed, rectOf, resized, rounded, shiftedBy, turned, type Handle, type Rect } from './geometry.ts';
import { Live } from './live.ts';
import type { Box, Op } from './model.ts';
import { distances, snap, type Guide } from './snap.ts';
import type { Point, Stage } from './stage.ts';
import { neighbours, siblings } from './targets.ts';

/** Keys are what is held down while the pointer moves. */
export interface Keys {
  shift: boolean;
  alt: boolean;
  free: boolean; // Ctrl or Cmd: nothing snaps
}

export interface Gesture {
  move: (at: Point, keys: Keys) => void;
  end: () => void;
  cancel: () => void;
}

/** What is shown of a gesture over the page. */
export interface Traces {
  boxes: Map<string, Box> | null; // of what moves, so that nothing needs to be measured
  whole: Box | null; // around several
  guides: Guide[];
  marquee: Rect | null;
  said: string; // a size, an angle
}

const none: Traces = { boxes: null, whole: null, guides: [], marquee: null, said: '' };

export const traces = signal<Traces>(none);

const reach = 6; // pixels of the screen

const page = (doc: Doc): Rect => ({ left: 0, top: 0, right: doc.view.value?.width ?? 0, bottom: doc.view.value?.height ?? 0 });

const show = (live: Live, rest: Partial<Traces>) => (traces.value = { ...none, boxes: new Map(live.items.map((i) => [i.address, i.now])), ...rest });

const over = () => (traces.value = none);

/** drag moves the selection; with Alt its copies. */
export function drag(doc: Doc, stage: Stage, from: Point): Gesture | null {
  const addresses = chosen(doc).map((n) => n.address);
  const flowing = addresses.length === 1 ? doc.node(addresses[0]!) : undefined;
  const live = new Live(doc, addresses);
  if (live.items.length === 0) {
    live.cancel();
    return null;
  }
  if (flowing && live.items[0]!.flows) return restack(doc, live, from);
  const rects = live.rects, whole = around(rects)!, others = neighbours(doc, addresses);
  let ghosts: Element[] = [];
  const copying = (on: boolean) => {
    if (on === ghosts.length > 0) return;
    for (const g of ghosts) g.remove();
    ghosts = on ? live.items.flatMap((i) => i.elements.map((el) => ghostOf(el, i.address, live))) : [];
  };
  return {
    move(at, keys) {
      let dx = at.x - from.x, dy = at.y - from.y;
      if (keys.shift) [dx, dy] = Math.abs(dx) >= Math.abs(dy) ? [dx, 0] : [0, dy];
      const found = keys.free ? { dx: 0, dy: 0, guides: [] } : snap(shiftedBy(whole, dx, dy), page(doc), others, reach / stage.scale.value, {
        x: keys.shift && dx === 0 ? null : { low: true, middle: true, high: true }, y: keys.shift && dy === 0 ? null : { low: true, middle: true, high: true },
      });
      copying(keys.alt);
      dx = even(whole.left, dx, found.dx);
      dy = even(whole.top, dy, found.dy);
      for (const item of live.items) live.set(item, { ...item.box, x: item.box.x + dx, y: item.box.y + dy });
      const now = shiftedBy(whole, dx, dy);
      show(live, { guides: [...found.guides, ...(keys.alt ? distances(now, page(doc)) : [])], whole: live.items.length > 1 ? boxOfRect(now) : null, said: `${rounded(now.left)}, ${rounded(now.top)}` });
    },
    end() {
      over();
      if (ghosts.length > 0) {
        copying(false);
        copyTo(doc, live);
      } else void live.commit(live.items.length === 1 ? `Move ${doc.title(addresses[0]!)}` : `Move ${live.items.length} layers`);
    },
    cancel() {
      over();
      copying(false);
      live.cancel();
    },
  };
}

/** even is a shift that ends on a whole pixel, unless it snapped. */
const even = (start: number, by: number, snapped: number) => (snapped !== 0 ? by + snapped : Math.round(start + by) - start);

/** ghostOf leaves the original where it is while its copy is dragged away. */
function ghostOf(el: HTMLElement, address: string, live: Live): Element {
  const ghost = el.cloneNode(true) as HTMLElement, item = live.items.find((i) => i.address === address)!;
  for (const part of [ghost, ...ghost.querySelectorAll('[data-p-node]')]) part.removeAttribute('data-p-node');
  ghost.style.setProperty('left', `${item.left}px`, 'important');
  ghost.style.setProperty('top', `${item.top}px`, 'important');
  el.before(ghost);
  return ghost;
}

/** copyTo makes copies where the elements were dragged, and leaves the originals. */
function copyTo(doc: Doc, live: Live): void {
  const taken = new Set<string>(), copies: string[] = [], ops: Op[] = [], size = doc.override.value;
  for (const item of live.items) {
    const named = doc.named(item.address), copy = doc.freeId(named.id.replace(/-\d+$/, ''), taken);
    taken.add(named.id).add(copy);
    copies.push(copy);
    const box: Record<string, number> = {};
    const by = turned({ x: item.now.x - item.box.x, y: item.now.y - item.box.y }, -item.outer);
    box.left = rounded(item.left + by.x);
    box.top = rounded(item.top + by.y);
    ops.push(...named.ops, { op: 'duplicate_node', id: named.id, to_id: copy }, { op: 'set_box', id: copy, box, ...(size ? { size } : {}) });
  }
  live.cancel();
  void doc.apply(ops, { label: copies.length === 1 ? 'Duplicate by dragging' : `Duplicate ${copies.length} layers`, select: copies });
}

/** restack drags a layer of a stack to another place in it. */
function restack(doc: Doc, live: Live, from: Point): Gesture {
  const item = live.items[0]!, node = doc.node(item.address)!;
  const beside = (doc.node(node.parent)?.children ?? []).filter((c) => c !== item.address).map((c) => ({ address: c, box: doc.box(c) })).filter((c) => c.box !== null);
  const row = doc.style(node.parent, 'flex-direction').startsWith('row') && doc.style(node.parent, 'display').includes('flex');
  let index = -1;
  return {
    move(at) {
      const center = { x: item.box.x + at.x - from.x, y: item.box.y + at.y - from.y };
      const found = beside.findIndex(({ box }) => (row ? center.x < box!.x : center.y < box!.y));
      index = found < 0 ? beside.length : found;
      const next = beside[index]?.box ?? beside[index - 1]?.box;
      const last = index === beside.length;
      const guides: Guide[] = [];
      if (next) {
        const r = rectOf(next);
        guides.push(row ? { axis: 'x', at: last ? r.right : r.left, from: r.top, to: r.bottom } : { axis: 'y', at: last ? r.bottom : r.top, from: r.left, to: r.right });
      }
      traces.value = { ...none, boxes: new Map([[item.address, { ...item.box, ...center }]]), guides, said: `Place ${index + 1} of ${beside.length + 1}` };
    },
    end() {
      over();
      live.cancel();
      const was = (doc.node(node.parent)?.children ?? []).indexOf(item.address);
      if (index < 0 || index === was) return;
      const { id, ops } = doc.named(item.address);
      void doc.apply([...ops, { op: 'move_node', id, parent: node.parent, index }], { label: `Move ${doc.title(item.address)} in its stack`, select: [id] });
    },
    cancel() {
      over();
      live.cancel();
    },
  };
}

/** resize drags one of the eight handles: Shift keeps the proportions, Alt the middle. */
export function resize(doc: Doc, stage: Stage, from: Point, handle: Handle): Gesture | null {
  const addresses = chosen(doc).map((n) => n.address), live = new Live(doc, addresses);
  if (live.items.length === 0) {
    live.cancel();
    return null;
  }
  const one = live.items.length === 1 ? live.items[0]! : null;
  const whole = around(live.rects)!, start = one ? one.box : boxOfRect(whole), others = neighbours(doc, addresses);
  const upright = start.angle === 0;
  return {
    move(at, keys) {
      const way = { ratio: keys.shift, center: keys.alt };
      let by = { x: at.x - from.x, y: at.y - from.y }, guides: Guide[] = [];
      let box = resized(start, handle, by, way);
      if (upright && !keys.free) {
        const line = (side: -1 | 0 | 1) => (side === 0 ? null : { low: side < 0, middle: false, high: side > 0 });
        const found = snap(rectOf(box), page(doc), others, reach / stage.scale.value, { x: line(handle.x), y: line(handle.y) });
        by = { x: handle.x === 0 ? by.x : even(edge(start, handle.x, 'x'), by.x, found.dx), y: handle.y === 0 ? by.y : even(edge(start, handle.y, 'y'), by.y, found.dy) };
        const snapped = resized(start, handle, by, way);
        if (!keys.shift || found.dx === 0 && found.dy === 0 || close(rectOf(snapped), found.guides)) {
          box = snapped;
          guides = found.guides;
        }
      }
      if (one) live.set(one, box);
      else {
        const now = rectOf(box);
        for (const item of live.items) live.set(item, placed(item.box, whole, now));
      }
      live.fit();
      show(live, { guides, whole: one ? null : box, said: `${rounded(box.width)} × ${rounded(box.height)}` });
    },
    end() {
      over();
      void live.commit(one ? `Resize ${doc.title(one.address)}` : `Resize ${live.items.length} layers`);
    },
    cancel() {
      over();
      live.cancel();
    },
  };
}

const edge = (box: Box, side: -1 | 0 | 1, axis: 'x' | 'y') => box[axis] + side * (axis === 'x' ? box.width : box.height) / 2;

/** close says that a rectangle does touch what it is said to have snapped to. */
const close = (r: Rect, guides: Guide[]) => guides.every((g) => (g.axis === 'x' ? [r.left, r.right] : [r.top, r.bottom]).some((n) => Math.abs(n - g.at) < 0.5));

/** rotate turns the selection around its middle; Shift in steps of 15°. */
export function rotate(doc: Doc, from: Point): Gesture | null {
  const addresses = chosen(doc).map((n) => n.address), live = new Live(doc, addresses);
  if (live.items.length === 0) {
    live.cancel();
    return null;
  }
  const one = live.items.length === 1 ? live.items[0]! : null;
  const start = one ? one.box : boxOfRect(around(live.rects)!), middle = { x: start.x, y: start.y }, first = direction(middle, from);
  return {
    move(at, keys) {
      let by = inTurn(direction(middle, at) - first);
      const aim = start.angle + by;
      by += (keys.shift ? Math.round(aim / 15) * 15 : Math.round(aim)) - aim;
      for (const item of live.items) {
        const p = turned({ x: item.box.x - middle.x, y: item.box.y - middle.y }, by);
        live.set(item, { ...item.box, x: middle.x + p.x, y: middle.y + p.y, angle: item.box.angle + by });
      }
      show(live, { whole: one ? null : { ...start, angle: by }, said: `${rounded(inTurn(start.angle + by))}°` });
    },
    end() {
      over();
      void live.commit(one ? `Rotate ${doc.title(one.address)}` : `Rotate ${live.items.length} layers`);
    },
    cancel() {
      over();
      live.cancel();
    },
  };
}

/** marquee selects what a drawn rectangle meets; add keeps what is selected. */
export function marquee(doc: Doc, from: Point, add: boolean): Gesture {
  const before = add ? doc.selection.value : [], all = siblings(doc).map((address) => ({ address, rect: rectOf(doc.box(address)!) }));
  return {
    move(at) {
      const r = { left: Math.min(from.x, at.x), right: Math.max(from.x, at.x), top: Math.min(from.y, at.y), bottom: Math.max(from.y, at.y) };
      traces.value = { ...none, marquee: r };
      doc.select([...before, ...all.filter((o) => meet(o.rect, r)).map((o) => o.address)]);
    },
    end: over,
    cancel() {
      over();
      doc.select(before);
    },
  };
}

/** nudge is a drag by keys: it is sent when they rest. */
export class Nudge {
  private live: Live | null = null;
  private x = 0;
  private y = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly doc: Doc) {}

  by(dx: number, dy: number): void {
    this.live ??= new Live(this.doc, chosen(this.doc).map((n) => n.address));
    this.x += dx;
    this.y += dy;
    for (const item of this.live.items) this.live.set(item, { ...item.box, x: item.box.x + this.x, y: item.box.y + this.y });
    this.doc.frame?.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), 500);
  }

  /** end sends what was nudged. */
  end(): void {
    clearTimeout(this.timer);
    const { live } = this;
    this.live = null;
    this.x = this.y = 0;
    if (live) void live.commit(live.items.length === 1 ? `Move ${this.doc.title(live.items[0]!.address)}` : `Move ${live.items.length} layers`);
  }
}
