// The batch while it runs, and its files when it has ended.

import { useState } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { Page } from '../../shell/shell.tsx';
import { Note } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { useJobEvents } from '../jobs/follow.ts';
import { JobBar, JobMark, Moves } from '../jobs/show.tsx';
import { farWords, isOver, paceWords } from '../jobs/words.ts';
import '../jobs/jobs.css';

export function Watch({ job: id, anew }: { job: string; anew: () => void }) {
  const [round, setRound] = useState(0);
  const job = useJobEvents(id, round);
  return (
    <Page title="New batch" over={<>Job <a href={path`/studio/jobs/${id}`}>{id}</a></>} actions={job && <div class="row"><Moves job={job} moved={() => setRound((n) => n + 1)} /></div>}>
      {!job && <p class="soft" role="status">Looking it up … <a href={path`/studio/jobs/${id}`}>Open the job</a></p>}
      {job && (
        <section class="card standing" aria-label="Progress">
          <div class="spread"><JobMark status={job.status} /><span class="soft" role="status">{farWords(job)}{paceWords(job) && ` · ${paceWords(job)}`}</span></div>
          <JobBar job={job} />
          {isOver(job) && job.failedItems > 0 && <Note level="warn"><p><strong>{counted(job.failedItems, 'row')} failed.</strong></p><p><a href={path`/studio/jobs/${id}` + query({ status: 'failed' })}>See why</a>, or <a href={path`/jobs/${id}/failed.csv`} download>download them</a>, correct them and drop them here again.</p></Note>}
          <div class="row">
            {isOver(job) && job.completedItems > 0 && <><a class="button strong" href={path`/jobs/${id}/results.zip`} download>Download the ZIP</a><a class="button" href={path`/jobs/${id}/results.csv`} download>Download the CSV</a></>}
            <a class="button" href={`/studio/images${query({ job: id })}`}>See the images</a>
            <a class="button" href={path`/studio/jobs/${id}`}>Open the job</a>
            {isOver(job) && <button type="button" class="button" onClick={anew}>Another batch</button>}
          </div>
        </section>
      )}
    </Page>
  );
}
