// The pointer over the canvas: which gesture it begins.

import type { Doc } from './document.ts';
import { within } from './geometry.ts';
import { drag, marquee, resize, rotate, type Gesture, type Keys } from './gestures.ts';
import { handleOf } from './overlay.tsx';
import type { Point, Stage } from './stage.ts';
import { target, ways } from './targets.ts';
import type { TextEditing } from './text.ts';

const least = 3; // pixels of the screen that are a drag and no click

const keysOf = (e: PointerEvent | KeyboardEvent): Keys => ({ shift: e.shiftKey, alt: e.altKey, free: e.ctrlKey || e.metaKey });

export class Pointer {
  private gesture: Gesture | null = null;
  private last: { at: Point; keys: Keys } | null = null;
  private waiting = 0; // a frame of the browser in which the newest place is drawn
  space = false; // held: the pointer moves the page

  constructor(private readonly doc: Doc, private readonly stage: Stage, private readonly text: TextEditing) {}

  get busy(): boolean {
    return this.gesture !== null;
  }

  readonly down = (e: PointerEvent): void => {
    if (e.button === 2 || this.gesture) return;
    if (e.button === 1 || this.space) return this.pan(e);
    const inText = this.doc.editing.value;
    if (inText) {
      const box = this.doc.box(inText);
      if (box && within(box, this.stage.toPage(e))) {
        e.preventDefault();
        this.text.caret(this.stage.toPage(e));
        return;
      }
      this.text.end();
    }
    const from = this.stage.toPage(e), grip = (e.target as HTMLElement).dataset.handle;
    if (grip) {
      const handle = handleOf(grip);
      this.begin(e, handle ? resize(this.doc, this.stage, from, handle) : rotate(this.doc, from));
      return;
    }
    this.choose(e, from);
  };

  private choose(e: PointerEvent, from: Point): void {
    const { doc } = this, deep = e.ctrlKey || e.metaKey;
    const selected = doc.selection.value.find((a) => {
      const box = doc.box(a), n = doc.node(a);
      return box && n && !n.locked && n.kind !== 'page' && within(box, from);
    });
    const hit = target(doc, from, deep);
    if (!hit && !(selected && !e.shiftKey)) {
      if (!e.shiftKey) {
        doc.select([]);
        doc.scope.value = '';
      }
      this.begin(e, marquee(doc, from, e.shiftKey));
      return;
    }
    // A press on what is selected already drags all that is selected; a click without a drag chooses anew.
    const kept = selected !== undefined && !e.shiftKey && !deep;
    const choose = () => {
      if (!hit) return;
      doc.scope.value = hit.scope;
      if (e.shiftKey && doc.selection.value.includes(hit.address)) doc.select(doc.selection.value.filter((a) => a !== hit.address));
      else doc.select([hit.address], e.shiftKey);
    };
    if (!kept) choose();
    this.afterThreshold(e, from, () => drag(doc, this.stage, from), kept && doc.selection.value.length > 1 || kept && hit?.address !== selected ? choose : undefined);
  }

  /** afterThreshold begins a gesture when the pointer has moved; clicked is called if it never does. */
  private afterThreshold(e: PointerEvent, from: Point, make: () => Gesture | null, clicked?: () => void): void {
    let inner: Gesture | null = null, begun = false;
    this.begin(e, {
      move: (at, keys) => {
        const far = Math.hypot(at.x - from.x, at.y - from.y) * this.stage.scale.value;
        if (!begun && far < least) return;
        if (!begun) {
          begun = true;
          inner = make();
        }
        inner?.move(at, keys);
      },
      end: () => (begun ? inner?.end() : clicked?.()),
      cancel: () => inner?.cancel(),
    });
  }

  private begin(e: PointerEvent, gesture: Gesture | null): void {
    if (!gesture) return;
    this.gesture = gesture;
    this.last = null;
    this.doc.hovered.value = '';
    this.stage.host!.setPointerCapture(e.pointerId);
  }

  private pan(e: PointerEvent): void {
    e.preventDefault();
    let last = { x: e.clientX, y: e.clientY };
    const { scale } = this.stage;
    const rect = this.stage.host!.getBoundingClientRect();
    this.begin(e, {
      move: (at) => { // back to the screen: the page itself moves
        const now = { x: at.x * scale.value + this.stage.x.value + rect.left, y: at.y * scale.value + this.stage.y.value + rect.top };
        this.stage.pan(now.x - last.x, now.y - last.y);
        last = now;
      },
      end: () => undefined,
      cancel: () => undefined,
    });
  }

  readonly move = (e: PointerEvent): void => {
    if (!this.gesture) return this.hover(e);
    this.last = { at: this.stage.toPage(e), keys: keysOf(e) };
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.step();
    });
  };

  private step(): void {
    if (this.gesture && this.last) this.gesture.move(this.last.at, this.last.keys);
  }

  private hover(e: PointerEvent): void {
    if (this.doc.editing.value || e.pointerType === 'touch') return;
    const hit = (e.target as HTMLElement).dataset.handle ? null : target(this.doc, this.stage.toPage(e), e.ctrlKey || e.metaKey);
    this.doc.hovered.value = hit?.address ?? '';
  }

  readonly up = (e: PointerEvent): void => {
    if (!this.gesture) return;
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    if (this.last && e.type === 'pointerup') {
      this.last = { at: this.stage.toPage(e), keys: keysOf(e) };
    }
    this.step();
    const { gesture } = this;
    this.gesture = null;
    gesture.end();
  };

  /** held tells a gesture that Shift or Alt was pressed or let go. */
  held(e: KeyboardEvent): void {
    if (!this.gesture || !this.last) return;
    this.last = { ...this.last, keys: keysOf(e) };
    this.step();
  }

  readonly cancel = (): void => {
    const { gesture } = this;
    this.gesture = null;
    gesture?.cancel();
  };

  readonly double = (e: MouseEvent): void => {
    const { doc } = this, at = this.stage.toPage(e), [chosen] = doc.selection.value;
    const n = chosen ? doc.node(chosen) : undefined;
    if (!n || n.locked || doc.editing.value) return;
    if (n.kind === 'group' || n.kind === 'stack') {
      doc.scope.value = n.address;
      const hit = target(doc, at);
      if (hit && ways(doc, hit.address).some((w) => w.address === n.address)) doc.select([hit.address]);
      return;
    }
    if (this.text.begin(n.address)) this.text.caret(at);
  };

  readonly wheel = (e: WheelEvent): void => {
    e.preventDefault();
    if (e.ctrlKey || e.metaKey) this.stage.zoomTo(this.stage.scale.value * Math.exp(-e.deltaY * (e.deltaMode === 1 ? 0.05 : 0.0025)), { x: e.clientX, y: e.clientY });
    else this.stage.pan(...(e.shiftKey && e.deltaX === 0 ? [-e.deltaY, 0] as const : [-e.deltaX, -e.deltaY] as const));
  };
}
