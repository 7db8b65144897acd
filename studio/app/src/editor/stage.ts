// Where the page is on the screen: by one scale and one shift, which is all that
// lies between a pointer and a pixel of the page.

import { signal } from '@preact/signals';

import type { Doc } from './document.ts';
import { around, rectOf } from './geometry.ts';
import type { Box } from './model.ts';

export interface Point {
  x: number;
  y: number;
}

const least = 0.05, most = 16;

export class Stage {
  readonly scale = signal(1);
  readonly x = signal(0); // of the page's corner in the canvas, in pixels of the screen
  readonly y = signal(0);
  /** fitted says that the page follows the canvas when that changes its size. */
  readonly fitted = signal(true);
  readonly all = signal(false); // all sizes side by side

  host: HTMLElement | null = null;

  constructor(readonly doc: Doc) {}

  /** toPage is a point of the screen in pixels of the page. */
  toPage(point: Point): Point {
    const rect = this.host!.getBoundingClientRect();
    return { x: (point.x - rect.left - this.x.value) / this.scale.value, y: (point.y - rect.top - this.y.value) / this.scale.value };
  }

  /** fit shows the whole page. */
  fit(): void {
    const { host, doc: { view: { value: view } } } = this;
    if (!host || !view) return;
    const pad = Math.min(48, host.clientWidth / 12);
    const scale = Math.min((host.clientWidth - 2 * pad) / view.width, (host.clientHeight - 2 * pad) / view.height, 2);
    this.scale.value = clamp(scale);
    this.center();
    this.fitted.value = true;
  }

  /** fitTo shows some boxes as large as they go. */
  fitTo(boxes: Box[]): void {
    const { host } = this, r = around(boxes.map(rectOf));
    if (!host || !r) return;
    const width = Math.max(1, r.right - r.left), height = Math.max(1, r.bottom - r.top);
    this.scale.value = clamp(Math.min(host.clientWidth * 0.8 / width, host.clientHeight * 0.8 / height, 4));
    this.put(host.clientWidth / 2 - (r.left + width / 2) * this.scale.value, host.clientHeight / 2 - (r.top + height / 2) * this.scale.value);
    this.fitted.value = false;
  }

  center(): void {
    const { host, doc: { view: { value: view } } } = this;
    if (!host || !view) return;
    this.put((host.clientWidth - view.width * this.scale.value) / 2, (host.clientHeight - view.height * this.scale.value) / 2);
  }

  /** put shifts the page by whole pixels, so that it is as sharp as its picture. */
  private put(x: number, y: number): void {
    this.x.value = Math.round(x);
    this.y.value = Math.round(y);
  }

  /** zoomTo sets the scale; the point, of the screen, stays where it is: by default the middle. */
  zoomTo(scale: number, at?: Point): void {
    if (!this.host) return;
    const rect = this.host.getBoundingClientRect();
    const point = at ?? { x: rect.left + rect.width / 2, y: rect.top + rect.height / 2 };
    const page = this.toPage(point), next = clamp(scale);
    this.scale.value = next;
    this.put(point.x - rect.left - page.x * next, point.y - rect.top - page.y * next);
    this.fitted.value = false;
  }

  pan(dx: number, dy: number): void {
    this.x.value += dx;
    this.y.value += dy;
    this.fitted.value = false;
  }
}

const clamp = (scale: number) => Math.min(most, Math.max(least, scale));
