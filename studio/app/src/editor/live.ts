// Layers while a gesture moves them: the elements of the frame only, no
// document. Its end is one operation for each layer.

import type { Doc } from './document.ts';
import { inTurn, rectOf, rounded, turned, type Rect } from './geometry.ts';
import { angleOf, sizeOf, turnOf } from './measure.ts';
import type { Box, Op } from './model.ts';

interface Item {
  address: string;
  elements: HTMLElement[];
  box: Box; // when the gesture began
  now: Box;
  left: number;
  top: number;
  turn: number; // its own, by the property rotate
  outer: number; // that of what it stands in
  more: { width: number; height: number }; // of the border box over what the properties say
  flows: boolean; // its place is that of a stack or of the flow
}

// What elements were like before the first gesture that is not confirmed.
const before = new WeakMap<Element, string | null>();

export class Live {
  readonly items: Item[];
  private touched = false;
  private release: (() => void) | undefined;

  constructor(private readonly doc: Doc, addresses: string[]) {
    this.items = addresses.map((a) => itemOf(doc, a)).filter((i) => i !== null);
    this.release = doc.frame?.hold();
  }

  get rects(): Rect[] {
    return this.items.map((i) => rectOf(i.now));
  }

  /** set moves one layer's elements to where its box is to be. */
  set(item: Item, box: Box): void {
    item.now = box;
    this.touched = true;
    const css = cssOf(item, box);
    for (const el of item.elements) {
      if (!before.has(el)) before.set(el, el.getAttribute('style'));
      if (!item.flows) {
        put(el, 'left', css.left);
        put(el, 'top', css.top);
      }
      if (css.width !== undefined) put(el, 'width', css.width);
      if (css.height !== undefined) put(el, 'height', css.height);
      if (css.rotate !== undefined) el.style.setProperty('rotate', `${css.rotate}deg`, 'important');
    }
  }

  /** resize fits texts anew while their boxes change. */
  fit(): void {
    for (const { elements } of this.items) for (const el of elements) if (el.matches('[p-fit], [p-focus]') || el.querySelector('[p-fit], [p-focus]')) void this.doc.frame?.lay(el);
  }

  /** cancel puts everything back. */
  cancel(): void {
    this.back();
    this.release?.();
    this.doc.frame?.changed();
  }

  /** ops are what makes the document as the elements are. */
  ops(): Op[] {
    const size = this.doc.override.value;
    return this.items.flatMap((item) => {
      const change = boxOps(item, item.now);
      if (Object.keys(change).length === 0) return [];
      const { id, ops } = this.doc.named(item.address);
      return [...ops, { op: 'set_box', id, box: change, ...(size ? { size } : {}) }];
    });
  }

  /** commit sends what the gesture did, and whatever belongs to it. */
  async commit(label: string, { merge, also = [] }: { merge?: string; also?: Op[] } = {}): Promise<boolean> {
    const ops = [...this.ops(), ...also];
    if (ops.length === 0) {
      this.cancel();
      return false;
    }
    const ok = await this.doc.apply(ops, { label, merge });
    this.doc.frame?.whenFree(() => this.back());
    this.release?.();
    return ok;
  }

  private back(): void {
    if (!this.touched) return;
    for (const { elements } of this.items) {
      for (const el of elements) {
        if (!before.has(el)) continue;
        const style = before.get(el)!;
        before.delete(el);
        if (style === null) el.removeAttribute('style');
        else el.setAttribute('style', style);
      }
    }
    this.doc.frame?.changed();
  }
}

const put = (el: HTMLElement, property: string, px: number) => el.style.setProperty(property, `${px}px`, 'important');

function itemOf(doc: Doc, address: string): Item | null {
  const frame = doc.frame!, elements = frame.elements(address) as HTMLElement[], el = elements[0];
  const box = el && frame.boxOf(el);
  if (!el || !box) return null;
  const style = frame.window.getComputedStyle(el), own = turnOf(el);
  const border = sizeOf(el) ?? { width: box.width, height: box.height };
  const flows = style.position === 'static' || style.position === 'relative';
  const turn = style.rotate && style.rotate !== 'none' ? parseFloat(style.rotate) : 0;
  return {
    address, elements, box, now: box, left: parseFloat(style.left) || 0, top: parseFloat(style.top) || 0, turn, outer: angleOf(el) - own, flows,
    more: { width: border.width - (parseFloat(style.width) || border.width), height: border.height - (parseFloat(style.height) || border.height) },
  };
}

interface Placed {
  left: number;
  top: number;
  width?: number;
  height?: number;
  rotate?: number;
}

/** cssOf is where properties put an item so that its box is that. */
function cssOf(item: Item, box: Box): Placed {
  const by = turned({ x: box.x - item.box.x, y: box.y - item.box.y }, -item.outer);
  const wide = box.width - item.box.width, high = box.height - item.box.height;
  const css: Placed = { left: rounded(item.left + by.x - wide / 2), top: rounded(item.top + by.y - high / 2) };
  if (Math.abs(wide) > 0.004) css.width = rounded(box.width - item.more.width);
  if (Math.abs(high) > 0.004) css.height = rounded(box.height - item.more.height);
  if (Math.abs(box.angle - item.box.angle) > 0.004) css.rotate = rounded(inTurn(item.turn + box.angle - item.box.angle));
  return css;
}

function boxOps(item: Item, box: Box): Record<string, number> {
  const css = cssOf(item, box), change: Record<string, number> = {};
  if (!item.flows && Math.abs(css.left - item.left) > 0.004) change.left = css.left;
  if (!item.flows && Math.abs(css.top - item.top) > 0.004) change.top = css.top;
  if (css.width !== undefined) change.width = css.width;
  if (css.height !== undefined) change.height = css.height;
  if (css.rotate !== undefined) change.rotate = css.rotate;
  return change;
}

/** setBoxes puts layers somewhere in one step, without a gesture. */
export function setBoxes(doc: Doc, boxes: Map<string, (was: Box) => Box>, label: string, merge?: string): Promise<boolean> {
  const live = new Live(doc, [...boxes.keys()]);
  for (const item of live.items) live.set(item, boxes.get(item.address)!(item.box));
  return live.commit(label, { merge });
}
