// One binding: its way from the row to whoever is told, and each part of it.

import type { ComponentChildren } from 'preact';

import { path } from '../api/client.ts';
import { changes, overview } from '../api/live.ts';
import type { Binding } from '../api/types.ts';
import { Page } from '../shell/shell.tsx';
import { useLoad } from '../ui/load.ts';
import { Note, Trouble } from '../ui/show.tsx';
import { freshness, State } from '../ui/state.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { count } from '../ui/words.ts';
import { Config } from './binding/config.tsx';
import { GuardPart } from './binding/guard.tsx';
import { Pipe } from './binding/pipe.tsx';
import { PreviewPart } from './binding/preview.tsx';
import { Readings } from './binding/readings.tsx';
import { RowsPart } from './binding/rows.tsx';
import { Runs } from './binding/runs.tsx';
import { BindingActs } from './bindings.tsx';
import './binding/binding.css';

const parts: { tab: string; name: (b: Binding) => ComponentChildren; show: (b: Binding, again: () => void) => ComponentChildren }[] = [
  { tab: '', name: () => 'Pipeline', show: (b) => <Pipe of={b} /> },
  { tab: 'rows', name: (b) => `Rows ${count(b.items)}`, show: (b) => <RowsPart of={b} /> },
  { tab: 'changes', name: () => 'Changes', show: (b) => <Readings of={b} /> },
  { tab: 'preview', name: () => 'Preview', show: (b) => <PreviewPart of={b} /> },
  { tab: 'guard', name: (b) => (b.held ? `Guard holds ${count(b.held.changes + b.held.removals)}` : 'Guard'), show: (b) => <GuardPart of={b} /> },
  { tab: 'runs', name: () => 'Runs', show: (b) => <Runs of={b} /> },
  { tab: 'config', name: () => 'Configuration', show: (b, again) => <Config of={b} again={again} /> },
];

export function BindingPage({ name, tab = '' }: { name: string; tab?: string }) {
  const at = path`/bindings/${name}`;
  const { data, error, again } = useLoad<{ binding: Binding }>(at, [changes.value]);
  const b = data?.binding ?? overview.value?.bindings.find((one) => one.name === name);
  const here = `/studio${at}${tab && `/${tab}`}`;
  const part = parts.find((p) => p.tab === tab);
  return (
    <Page title={name} over={<a href="/studio/bindings">Bindings</a>} actions={b && <BindingActs of={b} />}>
      {error !== undefined && !b && <Trouble error={error} again={again} />}
      {b && (
        <>
          <Standing of={b} />
          <Tabs label={`Parts of ${name}`} panel="part" here={here} tabs={parts.map((p) => ({ href: `/studio${at}${p.tab && `/${p.tab}`}`, name: p.name(b) }))} />
          <section id="part" role="tabpanel" aria-label={part ? part.tab || 'pipeline' : 'none'} class="stack">
            {part ? part.show(b, again) : <p>There is no part {tab} of a binding. <a href={`/studio${at}`}>Back to the pipeline</a></p>}
          </section>
        </>
      )}
    </Page>
  );
}

/** Standing is how a binding is, and why. */
function Standing({ of: b }: { of: Binding }) {
  const next = (b as { next?: string }).next;
  const state = b.freshness?.state;
  return (
    <>
      <p class="row standing">
        <State state={state} />
        <span class="soft">{freshness(b.freshness)}</span>
        <span><a href={`/studio${path`/sources/${b.source}`}`}>{b.source}</a> → <a href={`/studio${path`/templates/${b.template}`}`}>{b.template}</a></span>
        <a href={`/studio/images?binding=${encodeURIComponent(b.name)}`}>{count(b.ready)} images</a>
      </p>
      {b.freshness?.cause && (
        <Note level={state === 'error' ? 'error' : state === 'warn' ? 'warn' : undefined}>
          <p><strong>{b.freshness.cause}</strong></p>
          {next && <p>{next}</p>}
        </Note>
      )}
    </>
  );
}
