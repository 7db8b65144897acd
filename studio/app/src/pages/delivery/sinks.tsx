// The sinks with how they do: each leads to what is not delivered.

import { useEffect, useRef } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { components } from '../../api/schema.ts';
import { useLoad } from '../../ui/load.ts';
import { type Level, Mark, Trouble, When } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';

type Sink = components['schemas']['Connection'];

/** Sinks is a tile for each sink. */
export function Sinks() {
  const sinks = useLoad<{ sinks: Sink[] }>('/sinks');
  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change !== first.current) sinks.again();
  }, [change]);
  if (sinks.error !== undefined) return <Trouble error={sinks.error} again={sinks.again} />;
  const all = sinks.data?.sinks ?? [];
  if (all.length === 0) return null;
  return (
    <ul class="tiles sinks" aria-label="Sinks">
      {all.map((s) => <li key={s.name}><Tile sink={s} /></li>)}
    </ul>
  );
}

const words: Record<string, [Level, string]> = {
  well: ['ok', 'good'], failing: ['warn', 'failing'], resting: ['warn', 'resting'], paused: ['paused', 'paused'], disabled: ['error', 'disabled'],
};

function Tile({ sink }: { sink: Sink }) {
  const d = sink.delivery;
  const [level, word] = words[d?.state ?? ''] ?? ['quiet', d?.state ?? 'new'];
  const dead = d?.deadLetters ?? 0;
  return (
    <div class="card tile sink">
      <div class="spread"><a href={path`/studio/sinks/${sink.name}`}><strong>{sink.name}</strong></a><Mark level={level}>{word}</Mark></div>
      <div class="row small">
        <a href={`/studio/deliveries${query({ sink: sink.name, state: 'delivered' })}`}>delivered</a>
        {typeof d?.waiting === 'number' && <a href={`/studio/deliveries${query({ sink: sink.name, state: 'waiting' })}`}>{count(d.waiting)} waiting</a>}
        {dead > 0 && <a href={`/studio/dead-letters${query({ sink: sink.name })}`}>{counted(dead, 'dead letter')}</a>}
      </div>
      <span>{d?.failingSince ? <>nothing arrived since <When time={d.failingSince} />{d.failures ? `, ${counted(d.failures, 'failure')} in a row` : ''}</> : <>last arrived <When time={d?.arrivedAt} /></>}</span>
      {d?.restingUntil && d.state === 'resting' && <span>tried again <When time={d.restingUntil} /></span>}
      {d?.reason && <span class="wrap">{d.reason}</span>}
    </div>
  );
}
