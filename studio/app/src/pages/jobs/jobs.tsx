// Jobs: batches and runs of bindings, newest first, with how far each is.

import { useEffect, useRef } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { changes, overview } from '../../api/live.ts';
import type { Job } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { usePages } from '../../ui/paged.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Filters, type Filter } from '../filterbar.tsx';
import { JobBar, JobMark, Moves } from './show.tsx';
import { farWords, paceWords, statuses, statusWords } from './words.ts';
import './jobs.css';

interface JobList {
  jobs: Job[];
  nextCursor: string | null;
}

const read = (p: JobList) => ({ items: p.jobs, next: p.nextCursor });
const idOf = (j: Job) => j.jobId;

export function Jobs() {
  const [filters, set] = useFilters();
  const asked = { status: filters.status, kind: filters.kind, template: filters.template, binding: filters.binding };
  const list = usePages<JobList, Job>(`/jobs${query({ ...asked, limit: 100 })}`, read, idOf);
  const filtered = Object.values(asked).some(Boolean);

  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change !== first.current) list.fresh();
  }, [change]);

  const state = overview.value;
  const choices: Filter[] = [
    { name: 'status', label: 'State', any: 'Any state', choices: statuses.map((value) => ({ value, label: statusWords[value] })) },
    { name: 'kind', label: 'Kind', any: 'Batches and runs', choices: [{ value: 'batch', label: 'Batches' }, { value: 'run', label: 'Runs of bindings' }] },
    { name: 'binding', label: 'Binding', any: 'Any binding', choices: (state?.bindings ?? []).map((b) => b.name) },
    { name: 'template', label: 'Template', placeholder: 'Name of a template' },
  ];
  const columns: Column<Job>[] = [
    { name: 'Job', cell: (j) => <><a class="mono" href={path`/studio/jobs/${j.jobId}`}>{j.jobId}</a>{j.run && <div class="small soft">run of <a href={path`/studio/bindings/${j.run.binding}`}>{j.run.binding}</a></div>}</> },
    { name: 'Template', cell: (j) => <><a href={path`/studio/templates/${j.templateUid}`}>{j.templateUid}</a> <span class="soft small">version {j.templateVersion}</span></> },
    { name: 'State', cell: (j) => <JobMark status={j.status} /> },
    { name: 'Progress', width: '22%', cell: (j) => <div class="far"><JobBar job={j} /><span class="small soft">{farWords(j)}{paceWords(j) && ` · ${paceWords(j)}`}</span></div> },
    { name: 'Sent', cell: (j) => <When time={j.createdAt} /> },
    { name: 'Move', cell: (j) => <div class="row moves"><Moves job={j} moved={list.fresh} /></div> },
  ];
  return (
    <Page title="Jobs" actions={<a class="button strong" href="/studio/batch">New batch</a>}>
      <Filters filters={choices} values={filters} set={set} />
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      {list.items.length > 0 && <Table label="Jobs" columns={columns} rows={list.items} id={idOf} more={list.more} />}
      {list.loading && list.items.length === 0 && <p class="soft" role="status">Looking for jobs …</p>}
      {list.ended && list.items.length === 0 && (filtered
        ? <Empty title="No job fits these filters"><button type="button" class="button" onClick={() => set(Object.fromEntries(Object.keys(asked).map((n) => [n, ''])))}>Take the filters away</button></Empty>
        : <Empty title="There is no job yet" command={`curl -X POST ${location.origin}/templates/NAME/batch-render \\\n  -H 'Content-Type: text/csv' --data-binary @rows.csv`}><p>A job draws a picture for each row that is sent. <a href="/studio/batch">Drop a CSV</a>, or send one:</p></Empty>)}
    </Page>
  );
}
