// The readings of a binding's source, and what the last two differ in.

import { Failure, path } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Changes, RowChange, SourceReading } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { useLoad } from '../../ui/load.ts';
import { Mark, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { text } from '../../ui/value.tsx';
import { count, counted, span } from '../../ui/words.ts';

export function Readings({ of: b }: { of: Binding }) {
  const at = path`/bindings/${b.name}`;
  const diff = useLoad<Changes>(`${at}/changes`, [changes.value]);
  const list = useLoad<{ readings: SourceReading[] }>(`${at}/readings`, [changes.value]);
  const missing = (error: unknown) => error instanceof Failure && error.status === 404;
  if (missing(diff.error) && missing(list.error)) return <p class="soft">This daemon keeps no record of its readings. What the next one would change: <code>pictifyd plan {b.name}</code></p>;
  return (
    <>
      <section aria-labelledby="diff">
        <h2 id="diff">The last change {diff.data?.endedAt && <span class="soft"><When time={diff.data.endedAt} />{diff.data.before && <>, against <When time={diff.data.before} /></>}</span>}</h2>
        {diff.error !== undefined && !diff.data && <Trouble error={diff.error} again={diff.again} />}
        {diff.data && diff.data.changes.length === 0 && <p class="soft">No reading has changed a row since they are noted.</p>}
        {diff.data && diff.data.changes.length > 0 && <Diff of={b} changes={diff.data.changes} more={diff.data.more} />}
      </section>
      <section aria-labelledby="readings">
        <h2 id="readings">Readings</h2>
        {list.error !== undefined && !list.data && <Trouble error={list.error} again={list.again} />}
        {list.data && list.data.readings.length === 0 && <p class="soft">The source has not been read yet.</p>}
        {list.data && list.data.readings.length > 0 && <Table label="Readings" columns={columns} rows={list.data.readings} id={(r) => String(r.id)} />}
      </section>
    </>
  );
}

const kinds = { added: '+', changed: '~', removed: '−' };

function Diff({ of: b, changes: all, more }: { of: Binding; changes: RowChange[]; more: number }) {
  return (
    <div class="diff">
      {all.map((c) => (
        <article key={c.key} class="card" data-change={c.change}>
          <h3><span aria-hidden="true">{kinds[c.change]}</span> <a href={`/studio${path`/bindings/${b.name}`}/rows?row=${encodeURIComponent(c.key)}`}>{c.name}</a> <span class="soft small">{c.change}</span></h3>
          <dl>
            {c.columns.map((col) => (
              <div key={col.name}>
                <dt class="mono">{col.name}</dt>
                <dd>
                  {c.change !== 'added' && <del class="wrap">{text(col.before)}</del>}
                  {c.change !== 'removed' && <ins class="wrap">{text(col.after)}</ins>}
                </dd>
              </div>
            ))}
          </dl>
        </article>
      ))}
      {more > 0 && <p class="soft">… and {counted(more, 'more row')}</p>}
    </div>
  );
}

// outcome is how a reading ended, and why not well.
function Outcome({ of: r }: { of: SourceReading }) {
  const why = r.error ?? r.reason;
  const level = r.error ? 'error' : !r.endedAt ? 'busy' : r.guard || !r.complete || r.faults > 0 ? 'warn' : 'ok';
  const word = r.error ? 'Failed' : !r.endedAt ? 'Reading' : r.guard ? 'Held by the guard' : r.complete ? 'Complete' : 'Incomplete';
  return (
    <div class="why">
      <Mark level={level}>{word}</Mark>
      {why && <span class="small wrap">{why}</span>}
      {r.guard && <span class="small wrap">{count(r.guard.changes)} changes, {count(r.guard.removals)} removals: {r.guard.reason}</span>}
    </div>
  );
}

const columns: Column<SourceReading>[] = [
  { name: 'Ended', cell: (r) => (r.endedAt ? <When time={r.endedAt} /> : <>since <When time={r.beganAt} /></>) },
  { name: 'Outcome', cell: (r) => <Outcome of={r} /> },
  { name: 'Took', cell: (r) => (r.tookMs === null ? '–' : span(r.tookMs / 1000)), number: true },
  { name: 'Rows', cell: (r) => count(r.rows), number: true },
  { name: 'Added', cell: (r) => count(r.added), number: true },
  { name: 'Changed', cell: (r) => count(r.changed), number: true },
  { name: 'Removed', cell: (r) => count(r.removed), number: true },
  { name: 'As before', cell: (r) => count(r.unchanged), number: true },
  { name: 'Kept out', cell: (r) => count(r.faults), number: true },
];
