// The page itself, in a frame without scripts: laid out by the engine that
// renders, measured and moved from here. This is the only place where HTML of
// templates becomes elements.

import { signal } from '@preact/signals';

import '../../../../template/layout/layout.js'; // the renderer's own text of it
import { angleOf, sizeOf } from './measure.ts';
import type { Box, Redrawn, View } from './model.ts';

interface LayoutReport {
  layers: { layer: string; fontPx: number; lines: number; clipped: boolean; changed: boolean; cut: boolean }[];
  problems: { layer: string; problem: string }[];
}

declare global {
  var pictifydLayout: (root: Document | Element, options?: { restore?: boolean }) => Promise<LayoutReport>;
}

const noReport: LayoutReport = { layers: [], problems: [] };

export class Frame {
  /** width and height are those of the page. */
  readonly width = signal(0);
  readonly height = signal(0);
  /** drawn counts what changed in the frame; measure again with each. */
  readonly drawn = signal(0);
  readonly report = signal(noReport);

  /** lost is called where an answer speaks of an element that is not there. */
  lost: () => void = () => undefined;

  private holds = 0;
  private round = 0;
  private readonly later: (() => void)[] = [];
  private known: Map<string, Element[]> | null = null;
  private ordered = Promise.resolve();
  private layouts = false;
  private ready: Promise<void> | null = null;

  constructor(readonly iframe: HTMLIFrameElement) {}

  get document(): Document {
    return this.iframe.contentDocument!;
  }

  /** held says that a gesture goes on, and that what comes is shown after it. */
  get held(): boolean {
    return this.holds > 0;
  }

  /** hold keeps the elements as they are until its answer is called, or free. */
  hold(): () => void {
    this.holds++;
    const { round } = this;
    let over = false;
    return () => {
      if (over || round !== this.round) return;
      over = true;
      if (--this.holds === 0) for (const show of this.later.splice(0)) show();
    };
  }

  /** free ends every hold: what comes now is not what the gestures meant. */
  free(): void {
    this.round++;
    this.holds = 0;
    for (const show of this.later.splice(0)) show();
  }

  /** whenFree does something now, or behind what is held back. */
  whenFree(act: () => void): void {
    if (this.held) this.later.push(act);
    else void this.loaded().then(act);
  }

  /** write shows a whole page. */
  write(html: string, view: View): void {
    this.whenFree(() => {
      const doc = this.document;
      this.width.value = view.width;
      this.height.value = view.height;
      doc.open();
      doc.write(html);
      doc.close();
      doc.addEventListener('load', (e) => this.came(e.target as Element), true); // pictures
      doc.addEventListener('error', (e) => this.failed(e.target as Element), true);
      this.layouts = view.layout;
      this.changed();
      void this.lay();
    });
  }

  /** patch shows the elements that changed. */
  patch(nodes: Redrawn[], view: View): void {
    this.whenFree(() => {
      this.layouts = view.layout;
      let lost = false;
      for (const { node, html } of nodes) {
        const old = this.document.querySelector(`[data-p-node="${CSS.escape(node)}"]`);
        if (!old) {
          lost = true;
          continue;
        }
        const holder = this.document.createElement('template');
        // eslint-disable-next-line no-restricted-properties -- the frame: no script runs in it
        holder.innerHTML = html;
        old.replaceWith(holder.content);
      }
      this.changed();
      if (lost) this.lost();
      else void this.lay();
    });
  }

  /** loaded waits for the empty document of the frame, once. */
  private loaded(): Promise<void> {
    this.ready ??= new Promise((done) => {
      const there = () => this.iframe.contentDocument?.readyState === 'complete' && this.iframe.contentWindow?.location.pathname === '/studio/frame';
      if (there()) done();
      else this.iframe.addEventListener('load', () => done(), { once: true });
    });
    return this.ready;
  }

  /** changed forgets what was measured. */
  changed(): void {
    this.known = null;
    this.drawn.value++;
  }

  /** came fits what stands around a picture anew, now that its size is known. */
  private came(el: Element): void {
    if (el.localName === 'img' && !this.held) void this.lay();
    else this.changed();
  }

  /** failed shows in place of a picture that can't be had what the renderer shows. */
  private failed(el: Element): void {
    if (!el.matches('img[data-p-onerror]')) return;
    const instead = el.getAttribute('data-p-fallback');
    if (instead !== null) {
      el.removeAttribute('data-p-fallback');
      el.setAttribute('src', instead); // its load fits what stands around it
    } else if (el.getAttribute('data-p-onerror') === 'hide') {
      el.remove();
      this.changed();
      void this.lay();
    }
  }

  /** lay runs the layout script over the page, or over a part of it. One run after another. */
  lay(root: Document | Element = this.document): Promise<void> {
    if (!this.layouts) return Promise.resolve();
    this.ordered = this.ordered.then(async () => {
      if (root.nodeType === 1 && !root.isConnected) return;
      const report = await globalThis.pictifydLayout(root);
      if (root.nodeType !== 1) this.report.value = report;
      this.changed();
    }).catch((e: unknown) => console.warn('the layout script', e));
    return this.ordered;
  }

  /** plain takes back what the layout script did to a part, while somebody writes in it. */
  plain(root: Element): void {
    void globalThis.pictifydLayout(root, { restore: true });
  }

  // ---- Elements.

  /** elements are those of a node: one, or each copy that a loop makes. */
  elements(address: string): Element[] {
    if (!this.known) {
      this.known = new Map();
      for (const el of this.document.querySelectorAll('body [data-p-node]')) {
        const name = addressOf(el);
        const all = this.known.get(name);
        if (all) all.push(el);
        else this.known.set(name, [el]);
      }
    }
    return this.known.get(address) ?? [];
  }

  element(address: string): HTMLElement | null {
    return (this.elements(address)[0] as HTMLElement | undefined) ?? null;
  }

  /** under are the addresses of what is drawn at a point of the page, topmost first. */
  under(x: number, y: number): string[] {
    const found = new Set<string>();
    for (const el of this.document.elementsFromPoint(x, y)) {
      const node = el.closest('[data-p-node]');
      if (node) found.add(addressOf(node));
    }
    return [...found];
  }

  style(address: string, property: string): string {
    const el = this.element(address);
    return el ? this.window.getComputedStyle(el).getPropertyValue(property) : '';
  }

  get window(): Window & typeof globalThis {
    return this.iframe.contentWindow as Window & typeof globalThis;
  }

  box(address: string): Box | null {
    const el = this.element(address);
    return el && this.boxOf(el);
  }

  boxOf(el: Element): Box | null {
    const rect = el.getBoundingClientRect();
    if (rect.width === 0 && rect.height === 0 && el.getClientRects().length === 0) return null;
    const angle = angleOf(el);
    const size = angle % 360 === 0 ? rect : sizeOf(el) ?? rect;
    return { x: rect.left + rect.width / 2, y: rect.top + rect.height / 2, width: size.width, height: size.height, angle };
  }
}

/** addressOf is the node that an element was made of. */
export const addressOf = (el: Element): string => (el.getAttribute('data-p-node') ?? '').split('#')[0]!;
