// The rows of a binding's source, with what keeps some from their picture.

import { useEffect, useState } from 'preact/hooks';

import { get, path, query } from '../../api/client.ts';
import type { Row, RowPage } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { Field, Input } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { canonical } from '../../ui/key.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Mark, Trouble } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { tell } from '../../ui/toast.tsx';
import { columnsOf, inRow, text } from '../../ui/value.tsx';
import { counted } from '../../ui/words.ts';
import { RowSheet } from './row.tsx';

const pageSize = 100;
const shownColumns = 6;

// useRows reads page after page; a change of the source reads the first anew.
function useRows(b: Binding) {
  const at = `${path`/bindings/${b.name}`}/rows`;
  const first = useLoad<RowPage>(`${at}?limit=${pageSize}`, [b.readAt]);
  const [more, setMore] = useState<{ rows: Row[]; next: string | undefined }>();
  const [busy, setBusy] = useState(false);
  useEffect(() => setMore(undefined), [first.data]);
  const next = more ? more.next : first.data?.next;
  const onward = next && !busy
    ? () => {
      setBusy(true);
      get<RowPage>(`${at}${query({ limit: pageSize, after: next })}`)
        .then((page) => setMore((was) => ({ rows: [...(was?.rows ?? []), ...page.rows], next: page.next })), tell)
        .finally(() => setBusy(false));
    }
    : undefined;
  return { ...first, rows: [...(first.data?.rows ?? []), ...(more?.rows ?? [])], onward, all: first.data !== undefined && !next };
}

export function RowsPart({ of: b }: { of: Binding }) {
  const [filters, set] = useFilters();
  const [wanted, setWanted] = useState('');
  const { data, rows, onward, all, error, again } = useRows(b);
  const open = (key: string) => set({ row: key });
  const find = (e: Event) => {
    e.preventDefault();
    if (wanted.trim()) open(canonical(wanted));
  };
  return (
    <>
      <form class="filters" role="search" onSubmit={find}>
        <Field label="Row by its key"><Input type="search" value={wanted} change={setWanted} placeholder="SKU-1" /></Field>
        <button type="submit" class="button">Open</button>
        <div class="row" role="group" aria-label="Which rows">
          {[['', 'All rows'], ['failed', 'Failed'], ['kept', 'Kept out']].map(([value, label]) => (
            <button key={value} type="button" class="button" aria-pressed={(filters.show ?? '') === value} onClick={() => set({ show: value! })}>{label}</button>
          ))}
        </div>
      </form>
      {error !== undefined && !data && <Trouble error={error} again={again} />}
      {data && filters.show === 'failed' && <Failed of={b} page={data} open={open} />}
      {data && filters.show === 'kept' && <KeptOut of={b} page={data} />}
      {data && !filters.show && rows.length === 0 && (
        <Empty title="No row yet" command={`pictifyd sync ${b.name}`}><p>The source {b.source} has given no row. <a href={`/studio${path`/sources/${b.source}`}`}>Test its connection</a>, or have it read now.</p></Empty>
      )}
      {!filters.show && rows.length > 0 && (
        <>
          <Table label={`Rows of ${b.name}`} columns={columnsFor(rows, open)} rows={rows} id={(r) => r.key} more={onward} open={(r) => open(r.key)} />
          <p class="soft small">{all ? counted(rows.length, 'row') : `${counted(rows.length, 'row')} so far, more as you scroll`}</p>
        </>
      )}
      {filters.row && <RowSheet of={b} rowKey={filters.row} close={() => set({ row: '' })} changed={again} />}
    </>
  );
}

function columnsFor(rows: Row[], open: (key: string) => void): Column<Row>[] {
  const names = columnsOf(rows.slice(0, pageSize).map((r) => r.values)).slice(0, shownColumns);
  return [
    { name: 'Key', cell: (r) => <button type="button" class="button plain key" onClick={() => open(r.key)}>{r.name}</button> },
    ...names.map((name): Column<Row> => ({ name, cell: (r) => <span class="cell" title={text(inRow(r.values, name))}>{text(inRow(r.values, name))}</span> })),
    { name: 'Notes', cell: (r) => <Notes of={r} /> },
  ];
}

function Notes({ of: r }: { of: Row }) {
  return (
    <span class="row">
      {r.missing && <span class="chip" data-level="warn">gone from the source</span>}
      {r.warnings?.map((w, i) => <span key={i} class="chip" data-level="warn" title={(w as { message?: string }).message}>{String((w as { code?: string }).code ?? 'warning').replaceAll('_', ' ')}</span>)}
    </span>
  );
}

function Failed({ of: b, page, open }: { of: Binding; page: RowPage; open: (key: string) => void }) {
  if (page.failed.length === 0) return <p><Mark level="ok">No row has failed</Mark></p>;
  return (
    <>
      <p class="soft">{counted(page.failed.length, 'row')}{page.failed.length < b.failed ? ` of ${b.failed}` : ''}: mend the row at its source, or the template, and it is drawn by itself.</p>
      <Table label="Rows that failed" rows={page.failed} id={(f) => f.key} open={(f) => open(f.key)} columns={[
        { name: 'Key', cell: (f) => <button type="button" class="button plain key" onClick={() => open(f.key)}>{f.name}</button> },
        { name: 'Why', cell: (f) => <span class="wrap">{f.error}</span> },
        { name: 'Variable', cell: (f) => f.field ?? '–' },
        { name: 'Code', cell: (f) => <code>{f.code}</code> },
      ]} />
    </>
  );
}

function KeptOut({ of: b, page }: { of: Binding; page: RowPage }) {
  const at = `/studio${path`/sources/${b.source}`}/quarantine`;
  if (page.quarantined.length === 0) return <p><Mark level="ok">No row is kept out</Mark></p>;
  return (
    <>
      <p class="soft">These came, and could not become rows. <a href={at}>Replay or discard them at the source {b.source}</a>.</p>
      <Table label="Rows that are kept out" rows={page.quarantined} id={(q) => q.position} columns={[
        { name: 'Key', cell: (q) => q.key || '–' },
        { name: 'Why', cell: (q) => <span class="wrap">{q.reason}: {q.detail}</span> },
        { name: 'Place', cell: (q) => <code>{q.position}</code> },
      ]} />
    </>
  );
}

