// Every page but the first, each loaded when somebody goes there.

import type { FunctionComponent } from 'preact';
import { lazy } from 'preact-iso';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a page names the parts of its own path
type PageComponent = FunctionComponent<any>;

export const routes: [path: string, page: PageComponent][] = [
  ['/studio/images', lazy(() => import('./pages/gallery/gallery.tsx').then((m) => m.Gallery))],
  ['/studio/jobs', lazy(() => import('./pages/jobs/jobs.tsx').then((m) => m.Jobs))],
  ['/studio/jobs/:id', lazy(() => import('./pages/jobs/job.tsx').then((m) => m.JobDetail))],
  ['/studio/batch', lazy(() => import('./pages/batch/wizard.tsx').then((m) => m.Wizard))],
  ['/studio/deliveries', lazy(() => import('./pages/delivery/deliveries.tsx').then((m) => m.Deliveries))],
  ['/studio/deliveries/:id', lazy(() => import('./pages/delivery/delivery.tsx').then((m) => m.DeliveryDetail))],
  ['/studio/dead-letters', lazy(() => import('./pages/delivery/letters.tsx').then((m) => m.DeadLetters))],
  ['/studio/templates', lazy(() => import('./pages/templates/templates.tsx').then((m) => m.Templates))],
  ['/studio/templates/:id', lazy(() => import('./pages/templates/template.tsx').then((m) => m.TemplateDetail))],
  ['/studio/bindings', lazy(() => import('./pages/bindings.tsx').then((m) => m.Bindings))],
  ['/studio/bindings/new', lazy(() => import('./pages/binding/new.tsx').then((m) => m.NewBinding))],
  ['/studio/bindings/:name/:tab?', lazy(() => import('./pages/binding.tsx').then((m) => m.BindingPage))],
  ['/studio/experiments', lazy(() => import('./pages/experiments/list.tsx').then((m) => m.Experiments))],
  ['/studio/experiments/new', lazy(() => import('./pages/experiments/edit.tsx').then((m) => m.NewExperiment))],
  ['/studio/experiments/:id', lazy(() => import('./pages/experiments/report.tsx').then((m) => m.ExperimentReport))],
  ['/studio/experiments/:id/edit', lazy(() => import('./pages/experiments/edit.tsx').then((m) => m.EditExperiment))],
  ['/studio/sources', lazy(() => import('./pages/sources.tsx').then((m) => m.Sources))],
  ['/studio/sources/new', lazy(() => import('./pages/sources.tsx').then((m) => m.NewSource))],
  ['/studio/sources/:name/:tab?', lazy(() => import('./pages/sources.tsx').then((m) => m.Source))],
  ['/studio/sinks', lazy(() => import('./pages/sinks.tsx').then((m) => m.Sinks))],
  ['/studio/sinks/new', lazy(() => import('./pages/sinks.tsx').then((m) => m.NewSink))],
  ['/studio/sinks/:name/:tab?', lazy(() => import('./pages/sinks.tsx').then((m) => m.Sink))],
  ['/studio/templates/:id/edit', lazy(() => import('./editor/editor.tsx').then((m) => m.Editor))],
  ['/studio/system', lazy(() => import('./pages/system.tsx').then((m) => m.System))],
];
