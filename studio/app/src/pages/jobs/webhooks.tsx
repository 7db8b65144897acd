// Whether those who wanted to hear of a job have heard of it.

import { useEffect, useRef } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Delivery } from '../../api/work.ts';
import { useLoad } from '../../ui/load.ts';
import { Mark, Trouble, When } from '../../ui/show.tsx';
import { stateLevels, stateWords } from '../delivery/words.ts';

/** Webhooks are the newest deliveries that tell of a job; version changes when there may be others. */
export function Webhooks({ job, version }: { job: string; version: string }) {
  const told = useLoad<{ deliveries: Delivery[] }>(`/deliveries${query({ job, limit: 5 })}`);
  const change = changes.value;
  const last = useRef(`${change} ${version}`);
  useEffect(() => {
    if (last.current === `${change} ${version}`) return;
    last.current = `${change} ${version}`;
    told.again();
  }, [change, version]);
  if (told.error !== undefined) return <Trouble error={told.error} again={told.again} />;
  const all = told.data?.deliveries ?? [];
  if (all.length === 0) return <p class="soft small">{told.loading ? 'Looking it up …' : 'Nobody asked to be told: a batch with a webhookUrl, or a subscription, is told of its end.'}</p>;
  return (
    <div class="stack">
      <ul class="stack">
        {all.map((d) => (
          <li key={d.id} class="small">
            <div class="spread"><a href={path`/studio/deliveries/${d.id}`}>{d.event}</a><Mark level={stateLevels[d.state] ?? 'quiet'}>{stateWords[d.state] ?? d.state}</Mark></div>
            <div class="soft"><When time={d.endedAt ?? d.createdAt} />{d.answer?.status ? `, answered ${d.answer.status}` : ''}</div>
            {d.error && d.state !== 'delivered' && <div class="wrap">{d.error}</div>}
          </li>
        ))}
      </ul>
      <a class="small" href={`/studio/deliveries${query({ job })}`}>All deliveries of this job</a>
    </div>
  );
}
