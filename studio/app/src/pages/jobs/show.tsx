// What the list of jobs and the page of one have in common.

import type { ComponentChildren } from 'preact';

import { path, post } from '../../api/client.ts';
import type { Job } from '../../api/work.ts';
import { Act } from '../../ui/act.tsx';
import { Bar, Mark } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { farWords, statusLevels, statusWords } from './words.ts';

export const JobMark = ({ status }: { status: Job['status'] }) => <Mark level={statusLevels[status]}>{statusWords[status]}</Mark>;

export function JobBar({ job }: { job: Pick<Job, 'completedItems' | 'failedItems' | 'totalItems' | 'status' | 'ratePerSecond' | 'etaSeconds'> }) {
  const left = job.totalItems - job.completedItems - job.failedItems;
  return <Bar label={farWords(job)} parts={[{ part: 'done', n: job.completedItems }, { part: 'failed', n: job.failedItems }, { part: 'left', n: left }]} />;
}

const said: Record<Job['moves'][number], [verb: string, done: string]> = {
  pause: ['Pause', 'The job pauses'], resume: ['Resume', 'The job goes on'], cancel: ['Cancel', 'The job is cancelled'], retry: ['Retry failed', 'Failed rows are tried again'],
};

/** Moves are the buttons for what may be done to a job now. */
export function Moves({ job, moved }: { job: Pick<Job, 'jobId' | 'moves' | 'failedItems' | 'completedItems' | 'totalItems'>; moved: (job: Job) => void }) {
  const left = job.totalItems - job.completedItems - job.failedItems;
  const question: Partial<Record<Job['moves'][number], { title: string; question: ComponentChildren }>> = {
    cancel: { title: 'Cancel this job?', question: <p>{counted(left, 'row')} will not be drawn. Pictures that are made stay.</p> },
  };
  return (
    <>
      {job.moves.map((move) => (
        <Act key={move} act={async () => moved(await post<Job>(path`/jobs/${job.jobId}/${move}`))} done={said[move][1]} kind={move === 'cancel' ? 'danger' : ''} confirm={question[move]}>
          {move === 'retry' && job.failedItems > 0 ? `Retry failed (${job.failedItems})` : said[move][0]}
        </Act>
      ))}
    </>
  );
}
