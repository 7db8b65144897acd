// The rows of a job in a table, and one of them with what was sent.

import { useEffect, useRef } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { warningName } from '../../api/gallery.ts';
import type { Job, JobRow, OutputPicture, RowFailure, RowResult } from '../../api/work.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Mark, Note, Trouble } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count, counted, span } from '../../ui/words.ts';
import { Filters } from '../filterbar.tsx';
import { Values } from '../values.tsx';
import { type EndedRow, useRows } from './rows.ts';
import { isOver } from './words.ts';

const failed = (r: EndedRow): r is RowFailure => 'error' in r;
const fileOf = (url: string) => new URL(url, location.href).pathname; // under whatever name the page was reached

/** JobRows shows the rows that have ended; round is how often the job was begun anew. */
export function JobRows({ job, round }: { job: Job; round: number }) {
  const [filters, set] = useFilters();
  const filter = { status: filters.status ?? '', key: filters.key ?? '', code: filters.code ?? '' };
  const list = useRows(job.jobId, filter);
  const ended = `${job.completedItems} ${job.failedItems} ${job.status}`;
  const seen = useRef(ended);
  useEffect(() => {
    if (seen.current === ended) return;
    seen.current = ended;
    list.fresh();
  }, [ended, list.fresh]);
  const begun = useRef(round);
  useEffect(() => {
    if (begun.current === round) return;
    begun.current = round;
    list.again(); // rows that had failed are open again
  }, [round, list.again]);

  const codes = [...new Set(list.rows.filter(failed).map((r) => r.code))].sort();
  const columns: Column<EndedRow>[] = [
    { name: 'Row', number: true, cell: (r) => count(r.index + 1) },
    { name: 'Picture', cell: (r) => <Thumb row={r} job={job.jobId} /> },
    { name: 'Key', cell: (r) => <button type="button" class="button plain wrap" onClick={() => set({ row: r.key })}>{r.key}</button> },
    { name: 'State', cell: (r) => (failed(r) ? <Mark level="error">Failed</Mark> : r.warnings?.length ? <Mark level="warn">Made</Mark> : <Mark level="ok">Made</Mark>) },
    { name: 'Drawing', number: true, cell: (r) => (r.renderMs ? span(r.renderMs / 1000) : '–') },
    { name: 'Attempts', number: true, cell: (r) => (r.attempts ? count(r.attempts) : '–') },
    { name: 'What to know', width: '40%', cell: (r) => <Reason row={r} /> },
  ];
  const some = filter.status || filter.key || filter.code;
  const left = job.totalItems - job.completedItems - job.failedItems;
  return (
    <section class="stack" aria-label="Rows">
      <div class="spread">
        <h2>Rows</h2>
        <span class="small"><a href={`/studio/images${query({ job: job.jobId, warning: 'any' })}`}>Pictures with warnings</a></span>
      </div>
      <Filters values={filters} set={set} filters={[
        { name: 'status', label: 'State', any: 'Made and failed', choices: [{ value: 'completed', label: 'Made' }, { value: 'failed', label: 'Failed' }] },
        { name: 'key', label: 'Key begins with', placeholder: 'Key of a row' },
        { name: 'code', label: 'Error', any: 'Any error', choices: codes },
      ]} />
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      {list.rows.length > 0 && <Table label="Rows" columns={columns} rows={list.rows} id={(r) => String(r.index)} more={list.more} open={(r) => set({ row: r.key })} />}
      {list.rows.length === 0 && (list.loading
        ? <p class="soft" role="status">Looking for rows …</p>
        : some ? <Empty title="No row fits these filters"><button type="button" class="button" onClick={() => set({ status: '', key: '', code: '' })}>Take the filters away</button></Empty>
          : <p class="soft">{isOver(job) ? 'It had no rows.' : 'No row has ended yet.'}</p>)}
      {!isOver(job) && left > 0 && <p class="soft small">{counted(left, 'row')} still to come; they appear here when they have ended.</p>}
      {filters.row !== undefined && filters.row !== '' && <RowDialog job={job.jobId} rowKey={filters.row} close={() => set({ row: '' })} />}
    </section>
  );
}

function Thumb({ row, job }: { row: EndedRow; job: string }) {
  const first: OutputPicture | undefined = row.outputs?.[0];
  if (!first) return <span class="soft">–</span>;
  const src = fileOf(first.url);
  const place = [src.split('/').pop()!, '', job, row.key, first.output].map(encodeURIComponent).join('/');
  const href = `/studio/images${query({ job, key: row.key, open: place })}`;
  return <a href={href} aria-label={`Picture of ${row.key}`}>{first.format === 'pdf' ? <span class="chip">PDF</span> : <img class="thumb" src={src} alt="" loading="lazy" width={first.width} height={first.height} />}</a>;
}

function Reason({ row }: { row: EndedRow }) {
  const chips = (row.warnings ?? []).map((w) => <span key={`${w.code}${w.layer}${w.output}`} class="chip" data-level="warn" title={w.message}>{warningName(w.code)}{w.layer && `: ${w.layer}`}</span>);
  if (!failed(row)) return chips.length > 0 ? <div>{chips}</div> : null;
  return <div class="reason"><code>{row.code}</code>{row.field && <> <code>{row.field}</code></>} {row.error}{chips}</div>;
}

const nextStep = (e: RowFailure) => (e.retryable ? 'Another try may help: retry the failed rows.' : 'Correct the row (Failed rows above has it with its error) and send it again; another try gives the same.');

/** RowDialog is one row with what was sent, and what became of it. */
function RowDialog({ job, rowKey, close }: { job: string; rowKey: string; close: () => void }) {
  const row = useLoad<JobRow>(path`/jobs/${job}/rows/${rowKey}`);
  const ended: RowResult | RowFailure | null | undefined = row.data?.result ?? row.data?.error;
  return (
    <Dialog title={`Row ${rowKey}`} wide close={close}>
      {row.error !== undefined && <Trouble error={row.error} again={row.again} />}
      {row.data && (
        <>
          {row.data.error && <Note level="error"><p><strong>{row.data.error.error}</strong></p><p>{row.data.error.field && <><code>{row.data.error.field}</code>: </>}<code>{row.data.error.code}</code></p><p class="soft">{nextStep(row.data.error)}</p></Note>}
          {!ended && <p class="soft">It has not ended yet.</p>}
          {ended?.warnings?.map((w) => <Note key={`${w.code}${w.layer}${w.output}`} level="warn"><p><strong>{warningName(w.code)}</strong>{w.layer && <> in <code>{w.layer}</code></>}: {w.message}</p></Note>)}
          <ul class="row">
            {ended?.outputs?.map((o) => <li key={o.output}><a href={`/studio/images${query({ job, key: rowKey, open: [fileOf(o.url).split('/').pop()!, '', job, rowKey, o.output].map(encodeURIComponent).join('/') })}`}>{o.format === 'pdf' ? `${o.output} (PDF)` : <img class="large" src={fileOf(o.url)} alt={`${rowKey}, ${o.output}`} width={o.width} height={o.height} />}</a></li>)}
          </ul>
          <h3>What was sent</h3>
          <Values of={row.data.values} />
        </>
      )}
      <div class="actions"><button type="button" class="button" onClick={close}>Close</button></div>
    </Dialog>
  );
}
