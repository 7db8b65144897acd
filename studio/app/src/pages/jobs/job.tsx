// One job: how far it is, its rows, what it made, and who was told.

import { useState } from 'preact/hooks';

import { Failure, path, query } from '../../api/client.ts';
import type { JobPage } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { useLoad } from '../../ui/load.ts';
import { Note, Trouble } from '../../ui/show.tsx';
import { count } from '../../ui/words.ts';
import { Downloads } from './downloads.tsx';
import { useJobEvents } from './follow.ts';
import { JobRows } from './jobrows.tsx';
import { JobBar, JobMark, Moves } from './show.tsx';
import { Timeline } from './timeline.tsx';
import { farWords, isOver, paceWords } from './words.ts';
import { Webhooks } from './webhooks.tsx';
import './jobs.css';

export function JobDetail({ id }: { id: string }) {
  const [round, setRound] = useState(0);
  const seen = useJobEvents(id, round);
  const first = useLoad<JobPage>(path`/jobs/${id}` + query({ limit: 1, status: 'completed' }), [(seen?.completedItems ?? 0) > 0]);
  const job = seen?.jobId === id ? seen : null;
  if (!job) {
    return (
      <Page title="Job" over={<a href="/studio/jobs">Jobs</a>}>
        {first.error === undefined ? <p class="soft" role="status">Looking it up …</p> : <Trouble error={first.error} again={first.error instanceof Failure && first.error.status === 404 ? undefined : first.again} />}
      </Page>
    );
  }
  const moved = () => setRound((n) => n + 1);
  const over = isOver(job);
  return (
    <Page title={id} over={<><a href="/studio/jobs">Jobs</a> · {job.run ? <>run of <a href={path`/studio/bindings/${job.run.binding}`}>{job.run.binding}</a></> : 'batch'}</>} actions={<div class="row"><Moves job={job} moved={moved} /></div>}>
      <section class="card standing" aria-label="Progress">
        <div class="spread"><JobMark status={job.status} /><span class="soft" role="status">{farWords(job)}{paceWords(job) && ` · ${paceWords(job)}`}</span></div>
        <JobBar job={job} />
        <div class="row small">
          <a href={`${path`/studio/jobs/${id}`}?status=completed`}>{count(job.completedItems)} made</a>
          <a href={`${path`/studio/jobs/${id}`}?status=failed`}>{count(job.failedItems)} failed</a>
          <span class="soft">{count(job.totalItems - job.completedItems - job.failedItems)} left</span>
          {job.dedupedItems > 0 && <span class="soft">{count(job.dedupedItems)} show a picture that was there already</span>}
          <a href={`/studio/images${query({ job: id })}`}>See the images</a>
        </div>
      </section>
      {job.run?.error && <Note level="error"><p><strong>{job.run.error}</strong></p><p><a href={path`/studio/bindings/${job.run.binding}`}>Look at the binding</a></p></Note>}
      {job.status === 'paused' && <Note><p>Nothing is drawn while it is paused. Resume it to go on where it stopped.</p></Note>}
      <div class="job-facts">
        <section class="card"><h2>What it made</h2><Downloads job={job} over={over} pdf={first.data?.results[0]?.outputs.some((o) => o.format === 'pdf') ?? false} /></section>
        <section class="card"><h2>Timeline</h2><Timeline job={job} metadata={first.data?.metadata} /></section>
        <section class="card"><h2>Who was told</h2><Webhooks job={id} version={`${job.status}${job.completedItems}${job.failedItems}`} /></section>
      </div>
      <JobRows job={job} round={round} />
    </Page>
  );
}
