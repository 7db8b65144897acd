// All sources, or all sinks.

import { path } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Connection } from '../../api/ops.ts';
import { Page } from '../../shell/shell.tsx';
import { Field, Input, Select } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { freshness, State, worst } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count } from '../../ui/words.ts';
import { standing } from './health.ts';
import { type Side, sides } from './words.ts';

const choices = [{ value: '', label: 'Any state' }, { value: 'ok', label: 'Well' }, { value: 'warn', label: 'Warning' }, { value: 'error', label: 'Error' }, { value: 'paused', label: 'Paused' }, { value: 'failing', label: 'Not well' }];

function meets(c: Connection, f: Record<string, string>): boolean {
  const { state } = standing(c);
  const asked = !f.state || (f.state === 'failing' ? state === 'error' || state === 'warn' : state === f.state);
  return asked && (!f.kind || c.kind === f.kind) && `${c.name} ${c.kind} ${c.usedBy.join(' ')}`.toLowerCase().includes((f.q ?? '').toLowerCase());
}

export function ConnectionList({ side }: { side: Side }) {
  const words = sides[side];
  const [filters, set] = useFilters();
  const { data, error, again } = useLoad<Record<string, Connection[]>>(`/${words.many}`, [changes.value]);
  const all = data?.[words.many];
  const rows = (all ?? []).filter((c) => meets(c, filters)).sort((a, b) => worst(standing(a).state) - worst(standing(b).state) || a.name.localeCompare(b.name));
  const kinds = [...new Set((all ?? []).map((c) => c.kind))].sort();
  return (
    <Page title={words.title} actions={<a class="button strong" href={`/studio/${words.many}/new`}>New {words.one}</a>}>
      <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <Field label="Find"><Input type="search" value={filters.q ?? ''} change={(q) => set({ q })} placeholder="name, kind or binding" /></Field>
        <Field label="State"><Select value={filters.state ?? ''} change={(state) => set({ state })} choices={choices} /></Field>
        <Field label="Kind"><Select value={filters.kind ?? ''} change={(kind) => set({ kind })} choices={[{ value: '', label: 'Any kind' }, ...kinds.map((k) => ({ value: k, label: k }))]} /></Field>
      </form>
      {error !== undefined && !data && <Trouble error={error} again={again} />}
      {all?.length === 0 && <Empty title={`No ${words.one} yet`} command={words.yaml}><p>{words.about} Put one into pictifyd.yaml, which is read again by itself, or <a href={`/studio/${words.many}/new`}>make one here</a>.</p></Empty>}
      {all && all.length > 0 && rows.length === 0 && <p class="soft">None of {count(all.length)} {words.many} meets these filters. <button type="button" class="button" onClick={() => set({ q: '', state: '', kind: '' })}>Show all</button></p>}
      {rows.length > 0 && <Table label={words.title} rows={rows} id={(c) => c.name} columns={[...shared(words.many), ...(side === 'source' ? ofSources : ofSinks), ...used]} />}
    </Page>
  );
}

const shared = (many: string): Column<Connection>[] => [
  { name: 'Name', cell: (c) => <a href={`/studio/${many}${path`/${c.name}`}`}><strong>{c.name}</strong></a> },
  { name: 'State', cell: (c) => <Why of={c} /> },
  { name: 'Kind', cell: (c) => c.kind },
];

function Why({ of: c }: { of: Connection }) {
  const { state, cause } = standing(c);
  return <div class="why"><State state={state} />{cause && <span class="small soft wrap">{cause}</span>}</div>;
}

const used: Column<Connection>[] = [
  { name: 'Used by', cell: (c) => (c.usedBy.length === 0 ? <span class="soft">nobody</span> : c.usedBy.map((b, i) => <span key={b}>{i > 0 && ', '}<a href={`/studio${path`/bindings/${b}`}`}>{b}</a></span>)) },
  { name: 'Defined in', cell: (c) => (c.readOnly ? 'file' : 'API') },
];

const ofSources: Column<Connection>[] = [
  { name: 'Freshness', cell: (c) => freshness(c.freshness) },
  { name: 'Rows', cell: (c) => count(c.reading?.rows ?? 0), number: true },
  { name: 'Kept out', cell: (c) => (c.freshness?.quarantined ? <a href={`/studio${path`/sources/${c.name}`}/quarantine`}>{count(c.freshness.quarantined)}</a> : '0'), number: true },
  { name: 'Last change', cell: (c) => <When time={c.freshness?.changedAt} /> },
];

const ofSinks: Column<Connection>[] = [
  { name: 'Waiting', cell: (c) => <a href={`/studio/deliveries?sink=${encodeURIComponent(c.name)}&state=waiting`}>{count(c.delivery?.waiting ?? 0)}</a>, number: true },
  { name: 'Dead letters', cell: (c) => <a href={`/studio/dead-letters?sink=${encodeURIComponent(c.name)}`}>{count(c.delivery?.deadLetters ?? 0)}</a>, number: true },
  { name: 'Last arrival', cell: (c) => <When time={c.delivery?.arrivedAt} /> },
];
