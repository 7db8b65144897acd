// The panels around the canvas, by name. Each gets the document; what it shows
// follows the document's signals.

import type { FunctionComponent } from 'preact';
import { lazy } from 'preact-iso';

import type { Doc } from './document.ts';

export type PanelComponent = FunctionComponent<{ doc: Doc }>;

export interface Panel {
  name: string; // on its tab
  body: PanelComponent;
}

/** left are the tabs of the column before the canvas. */
export const left: Panel[] = [
  { name: 'Layers', body: lazy(() => import('./layers.tsx').then((m) => m.Layers)) },
];

/** right are those behind it. */
export const right: Panel[] = [];

/** strip are those below it. */
export const strip: Panel[] = [];

/** bar are buttons at the end of the top bar, such as the one that publishes. */
export const bar: PanelComponent[] = [];
