// The panels around the canvas, by name. Each gets the document; what it shows
// follows the document's signals.

import { signal } from '@preact/signals';
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
  { name: 'Pages', body: lazy(() => import('./panels/pages.tsx').then((m) => m.Pages)) },
  { name: 'Variables', body: lazy(() => import('./panels/variables.tsx').then((m) => m.Variables)) },
  { name: 'Files', body: lazy(() => import('./panels/files.tsx').then((m) => m.Files)) },
  { name: 'Tokens', body: lazy(() => import('./panels/tokens.tsx').then((m) => m.Tokens)) },
];

/** right are those behind it. */
export const right: Panel[] = [
  { name: 'Inspector', body: lazy(() => import('./panels/inspector.tsx').then((m) => m.Inspector)) },
  { name: 'Copilot', body: lazy(() => import('./copilot/copilot.tsx').then((m) => m.Copilot)) },
];

/** strip are those below it. */
export const strip: Panel[] = [
  { name: 'Data', body: lazy(() => import('./data/data.tsx').then((m) => m.Data)) },
  { name: 'Source', body: lazy(() => import('./source/source.tsx').then((m) => m.Source)) },
  { name: 'Problems', body: lazy(() => import('./panels/problems.tsx').then((m) => m.Problems)) },
  { name: 'True render', body: lazy(() => import('./data/truerender.tsx').then((m) => m.TrueRender)) },
  { name: 'Versions', body: lazy(() => import('./panels/versions.tsx').then((m) => m.Versions)) },
];

/** bar are buttons at the end of the top bar, such as the one that publishes. */
export const bar: PanelComponent[] = [
  lazy(() => import('./copilot/button.tsx').then((m) => m.CopilotButton)),
  lazy(() => import('./panels/publish.tsx').then((m) => m.Publish)),
];

/** tabs are the panels in sight, by name; "" is the first, or none in the strip. */
export const tabs = { left: signal('Layers'), right: signal(''), strip: signal('') };

/** column is the side that a phone shows over the canvas, "left" or "right"; "" is none. */
export const column = signal('');
