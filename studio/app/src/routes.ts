// Every page but the first, each loaded when somebody goes there.

import type { FunctionComponent } from 'preact';
import { lazy } from 'preact-iso';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a page names the parts of its own path
type PageComponent = FunctionComponent<any>;

export const routes: [path: string, page: PageComponent][] = [
  ['/studio/images', lazy(() => import('./pages/gallery/gallery.tsx').then((m) => m.Gallery))],
  ['/studio/jobs', lazy(() => import('./pages/jobs/jobs.tsx').then((m) => m.Jobs))],
  ['/studio/jobs/:id', lazy(() => import('./pages/jobs/job.tsx').then((m) => m.JobDetail))],
  ['/studio/templates/:id/edit', lazy(() => import('./editor/editor.tsx').then((m) => m.Editor))],
];
