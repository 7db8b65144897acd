// The runs of a binding: readings of its source that are jobs.

import { useState } from 'preact/hooks';

import { path, post } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Binding, Job } from '../../api/types.ts';
import { Act } from '../../ui/act.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { useLoad } from '../../ui/load.ts';
import { Bar, Empty, type Level, Mark, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count } from '../../ui/words.ts';

const levels: Record<string, Level> = { pending: 'quiet', processing: 'busy', paused: 'paused', completed: 'ok', partial: 'warn', failed: 'error', cancelled: 'quiet' };

export function Runs({ of: b }: { of: Binding }) {
  const { data, error, again } = useLoad<{ jobs: Job[] }>(`/jobs?kind=run&binding=${encodeURIComponent(b.name)}`, [changes.value]);
  const [at, setAt] = useState('');
  return (
    <>
      <div class="filters">
        <Field label="A run for the moment" help="Now where it is empty; a day, or a time as 2026-10-01T06:00Z"><Input value={at} change={setAt} placeholder="now" /></Field>
        <Act act={() => post(`${path`/bindings/${b.name}`}/run`, at.trim() ? { at: at.trim() } : {})} done="The run has begun" then={again}>Run now</Act>
        <span class="soft">{b.nextRunAt ? <>The schedule runs it next <When time={b.nextRunAt} /></> : 'Its source has no schedule: it is read as its interval says.'}</span>
      </div>
      {error !== undefined && !data && <Trouble error={error} again={again} />}
      {data?.jobs.length === 0 && <Empty title="It has not run yet" command={`pictifyd run-now ${b.name}`}><p>A run is one whole reading with its results: a job. Schedules make them (cron: at the source), the button above, or this command.</p></Empty>}
      {data && data.jobs.length > 0 && <Table label="Runs" columns={columns} rows={data.jobs} id={(j) => j.jobId} />}
    </>
  );
}

const columns: Column<Job>[] = [
  { name: 'Run', cell: (j) => <a href={`/studio/jobs/${j.jobId}`}>{j.run ? <When time={j.run.scheduledFor} /> : j.jobId}</a> },
  { name: 'State', cell: (j) => <div class="why"><Mark level={levels[j.status] ?? 'quiet'}>{j.status}</Mark>{j.run?.error && <span class="small wrap">{j.run.error}</span>}</div> },
  { name: 'Rows', cell: (j) => <Bar parts={[{ part: 'done', n: j.completedItems }, { part: 'failed', n: j.failedItems }, { part: 'left', n: j.totalItems - j.completedItems - j.failedItems }]} label={`${count(j.completedItems)} of ${count(j.totalItems)}, ${count(j.failedItems)} failed`} /> },
  { name: 'Done', cell: (j) => <a href={`/studio/jobs/${j.jobId}`}>{count(j.completedItems)} of {count(j.totalItems)}</a>, number: true },
  { name: 'Failed', cell: (j) => (j.failedItems > 0 ? <a href={`/studio/jobs/${j.jobId}?status=failed`}>{count(j.failedItems)}</a> : '0'), number: true },
  { name: 'Ended', cell: (j) => (j.completedAt ? <When time={j.completedAt} /> : <span class="soft">not yet</span>) },
];
