// What happened to a job, in order.

import type { ComponentChildren } from 'preact';

import { path } from '../../api/client.ts';
import type { Job } from '../../api/work.ts';
import { When } from '../../ui/show.tsx';
import { counted, span } from '../../ui/words.ts';
import { isOver, statusWords } from './words.ts';

interface Step {
  what: ComponentChildren;
  time: string | null;
  level?: 'error' | 'warn';
}

const between = (from: string | null, to: string | null) => (from && to ? span(Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)) : '');

function stepsOf(job: Job): Step[] {
  const steps: Step[] = [{ what: `${counted(job.totalItems, 'row')} sent`, time: job.createdAt }];
  const waited = between(job.createdAt, job.startedAt);
  steps.push({ what: job.startedAt ? `Drawing began${waited && `, ${waited} later`}` : 'Drawing begins', time: job.startedAt });
  if (job.status === 'paused') steps.push({ what: 'Paused', time: null, level: 'warn' });
  const took = between(job.startedAt, job.completedAt);
  const end = isOver(job) ? `${statusWords[job.status]}${took && `, after ${took}`}` : 'The end';
  steps.push({ what: end, time: job.completedAt, level: job.status === 'failed' ? 'error' : job.status === 'partial' ? 'warn' : undefined });
  return steps;
}

export function Timeline({ job, metadata }: { job: Job; metadata?: unknown }) {
  return (
    <div class="stack">
      <ol class="timeline">
        {stepsOf(job).map((s, i) => <li key={i} data-level={s.level} data-still={s.time ? undefined : ''}><span>{s.what}</span>{s.time ? <When time={s.time} /> : <span class="soft">{s.level ? 'now' : 'not yet'}</span>}</li>)}
      </ol>
      <dl class="facts">
        <dt>Template</dt><dd><a href={path`/studio/templates/${job.templateUid}`}>{job.templateUid}</a> version {job.templateVersion}</dd>
        <dt>Priority</dt><dd>{job.priority}</dd>
        {job.maxErrors ? <><dt>Ends at</dt><dd>{counted(job.maxErrors, 'failed row')}</dd></> : null}
        {metadata !== undefined && metadata !== null && <><dt>Metadata</dt><dd class="mono">{JSON.stringify(metadata)}</dd></>}
      </dl>
    </div>
  );
}
