// All bindings: how current each is, and why not.

import { path, post } from '../api/client.ts';
import { changes, overview } from '../api/live.ts';
import type { Connection } from '../api/ops.ts';
import type { Binding } from '../api/types.ts';
import { Page } from '../shell/shell.tsx';
import { Act } from '../ui/act.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { useFilters } from '../ui/filters.ts';
import { useLoad } from '../ui/load.ts';
import { Bar, Empty, Trouble, When } from '../ui/show.tsx';
import { freshness, State, worst } from '../ui/state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { count } from '../ui/words.ts';

const states = [{ value: '', label: 'Any state' }, { value: 'ok', label: 'Well' }, { value: 'warn', label: 'Warning' }, { value: 'error', label: 'Error' }, { value: 'paused', label: 'Paused' }];
const addressOf = (b: Binding) => `/studio${path`/bindings/${b.name}`}`;

/** Images says how many images are as they are wanted. */
export function Images({ of: b }: { of: Binding }) {
  const label = `${count(b.ready)} ready, ${count(b.waiting)} waiting, ${count(b.failed)} failed`;
  return (
    <div class="amount" title={label}>
      <Bar parts={[{ part: 'done', n: b.ready }, { part: 'left', n: b.waiting }, { part: 'failed', n: b.failed }]} label={label} />
      <a class="small" href={`${addressOf(b)}/rows${b.failed > 0 ? '?show=failed' : ''}`}>{count(b.ready)} of {count(b.items)}{b.failed > 0 && <>, {count(b.failed)} failed</>}</a>
    </div>
  );
}

type Order = 'name' | 'state' | 'lag';
const orders: Record<Order, (a: Binding, b: Binding) => number> = {
  name: (a, b) => a.name.localeCompare(b.name),
  state: (a, b) => worst(a.freshness?.state) - worst(b.freshness?.state) || a.name.localeCompare(b.name),
  lag: (a, b) => (b.freshness?.lagSeconds ?? Infinity) - (a.freshness?.lagSeconds ?? Infinity),
};

// meets says whether a binding is among those that the filters ask for.
function meets(b: Binding, f: Record<string, string>): boolean {
  const words = `${b.name} ${b.source} ${b.template}`.toLowerCase();
  return (!f.state || b.freshness?.state === f.state) && (!f.source || b.source === f.source) && (!f.template || b.template === f.template)
    && (!f.failed || b.failed > 0) && words.includes((f.q ?? '').toLowerCase());
}

export function Bindings() {
  const [filters, set] = useFilters();
  const told = overview.value?.bindings;
  const asked = useLoad<{ bindings: Binding[] }>(told ? null : '/bindings');
  const sources = useLoad<{ sources: Connection[] }>('/sources', [changes.value]);
  const all = told ?? asked.data?.bindings;
  const order = (filters.order ?? 'state') as Order;
  const rows = (all ?? []).filter((b) => meets(b, filters)).sort(orders[order] ?? orders.state);
  const sourceOf = (b: Binding) => sources.data?.sources.find((s) => s.name === b.source)?.freshness;
  const by = (name: Order) => ({ sort: order === name ? ('down' as const) : undefined, order: () => set({ order: name }) });
  const columns: Column<Binding>[] = [
    { name: 'Binding', cell: (b) => <a href={addressOf(b)}><strong>{b.name}</strong></a>, ...by('name') },
    { name: 'State', cell: (b) => <div class="why"><State state={b.freshness?.state} />{b.freshness?.cause && <a class="small soft" href={addressOf(b)}>{b.freshness.cause}</a>}</div>, ...by('state') },
    { name: 'Freshness', cell: (b) => freshness(b.freshness), ...by('lag') },
    { name: 'Source', cell: (b) => <a href={`/studio${path`/sources/${b.source}`}`}>{b.source}</a> },
    { name: 'Template', cell: (b) => <a href={`/studio${path`/templates/${b.template}`}`}>{b.template}</a> },
    { name: 'Images', cell: (b) => <Images of={b} /> },
    { name: 'Last change', cell: (b) => <When time={sourceOf(b)?.changedAt} /> },
    { name: 'Next reading', cell: (b) => (b.freshness?.state === 'paused' ? 'paused' : <Next time={sourceOf(b)?.nextAt} />) },
    { name: 'Actions', cell: (b) => <BindingActs of={b} /> },
  ];
  return (
    <Page title="Bindings" actions={<a class="button strong" href="/studio/bindings/new">New binding</a>}>
      <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <Field label="Find"><Input type="search" value={filters.q ?? ''} change={(q) => set({ q })} placeholder="name, source or template" /></Field>
        <Field label="State"><Select value={filters.state ?? ''} change={(state) => set({ state })} choices={states} /></Field>
        <Field label="Source"><Select value={filters.source ?? ''} change={(source) => set({ source })} choices={choices('Any source', all, (b) => b.source)} /></Field>
        <Field label="Template"><Select value={filters.template ?? ''} change={(template) => set({ template })} choices={choices('Any template', all, (b) => b.template)} /></Field>
        {filters.failed && <button type="button" class="button" onClick={() => set({ failed: '' })}>Only with failures ×</button>}
      </form>
      {asked.error !== undefined && <Trouble error={asked.error} again={asked.again} />}
      {all?.length === 0 && <NoBinding />}
      {all && all.length > 0 && rows.length === 0 && <p class="soft">None of {count(all.length)} bindings meets these filters. <button type="button" class="button" onClick={() => set({ q: '', state: '', source: '', template: '', failed: '' })}>Show all</button></p>}
      {rows.length > 0 && <Table label="Bindings" columns={columns} rows={rows} id={(b) => b.name} />}
    </Page>
  );
}

function choices(any: string, all: Binding[] | undefined, of: (b: Binding) => string) {
  return [{ value: '', label: any }, ...[...new Set((all ?? []).map(of))].sort().map((v) => ({ value: v, label: v }))];
}

function Next({ time }: { time: string | null | undefined }) {
  return time ? <When time={time} /> : <span class="soft">when it is told</span>;
}

function NoBinding() {
  return (
    <Empty title="No binding yet" command={'bindings:\n  - name: cards\n    source: products     # of sources:\n    template: product-card # of templates/'}>
      <p>A binding keeps one picture for each row of a source. Put this into pictifyd.yaml, which is read again by itself, or <a href="/studio/bindings/new">make one here</a>.</p>
    </Empty>
  );
}

/** BindingActs are what can be done to a binding from anywhere. */
export function BindingActs({ of: b }: { of: Binding }) {
  const at = path`/bindings/${b.name}`;
  const paused = b.freshness?.state === 'paused';
  return (
    <div class="row tight">
      {paused
        ? <Act act={() => post(`${at}/resume`)} done={`${b.name} goes on`}>Resume</Act>
        : <Act act={() => post(`${at}/pause`)} done={`${b.name} is paused: its images stay as they are`}>Pause</Act>}
      <Act act={() => post(`${at}/refresh`)} done={`${b.source} is read`} disabled={paused}>Read now</Act>
    </div>
  );
}

