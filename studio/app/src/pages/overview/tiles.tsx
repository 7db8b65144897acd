// Numbers, each a way to the list that it counts.

import type { ComponentChildren } from 'preact';

import type { Health, Tiles } from '../../api/health.ts';
import { Mark } from '../../ui/show.tsx';
import { bytes, count, counted, span } from '../../ui/words.ts';

function Tile({ href, name, value, about, level }: { href: string; name: string; value: ComponentChildren; about?: ComponentChildren; level?: 'warn' | 'error' }) {
  return (
    <a class="card tile" href={href} data-level={level}>
      <span>{name}</span>
      <b>{value}</b>
      {(about || level) && <span>{level ? <Mark level={level}>{about}</Mark> : about}</span>}
    </a>
  );
}

const states: [Health, string][] = [['ok', 'well'], ['warn', 'with a warning'], ['error', 'in error'], ['paused', 'paused']];

function BindingTile({ of }: { of: Tiles['bindings'] }) {
  return (
    <div class="card tile">
      <span>Bindings</span>
      <ul class="states">
        {states.filter(([state]) => state === 'ok' || of[state] > 0).map(([state, word]) => (
          <li key={state}><a href={`/studio/bindings?state=${state}`}><Mark level={state}><strong>{count(of[state])}</strong> {word}</Mark></a></li>
        ))}
      </ul>
    </div>
  );
}

const ms = (n: number | null) => (n === null ? '–' : span(n / 1000));

export function TileList({ tiles: t }: { tiles: Tiles }) {
  const sample = `of ${counted(t.renders.count, 'render')} in ${span(t.renders.seconds)}`;
  return (
    <section aria-label="Numbers">
      <div class="tiles">
        <BindingTile of={t.bindings} />
        <Tile href={t.oldestLagSource ? `/studio/sources/${encodeURIComponent(t.oldestLagSource)}` : '/studio/sources'} name="Oldest lag" value={t.oldestLagSeconds === null ? '–' : span(t.oldestLagSeconds)} about={t.oldestLagSource} />
        <Tile href="/studio/system#queue" name="Queue" value={count(t.queue.depth)} about={t.queue.depth === 0 ? 'nothing waits' : t.queue.etaSeconds === null ? `${count(t.queue.drawing)} drawing` : `about ${span(t.queue.etaSeconds)} left`} />
        <Tile href="/studio/images?since=1h" name="Renders a minute" value={t.rendersPerMinute < 10 ? Number(t.rendersPerMinute.toFixed(1)) : count(Math.round(t.rendersPerMinute))} about={sample} />
        <Tile href="/studio/system#chrome" name="Render time, median and 95 %" value={`${ms(t.p50Ms)} · ${ms(t.p95Ms)}`} about={sample} />
        <Tile href="/studio/bindings?failed=yes" name="Failures in 24 h" value={count(t.failures24h)} level={t.failures24h > 0 ? 'warn' : undefined} about={t.failures24h > 0 ? 'see which rows' : 'none'} />
        <Tile href="/studio/dead-letters" name="Dead letters" value={count(t.deadLetters)} level={t.deadLetters > 0 ? 'error' : undefined} about={t.deadLetters > 0 ? 'nobody was told' : 'none'} />
        <Tile href={t.deliveriesFailing > 0 ? '/studio/sinks?state=failing' : '/studio/deliveries?state=waiting'} name="Deliveries" value={count(t.deliveriesWaiting)} level={t.deliveriesFailing > 0 ? 'error' : undefined}
          about={t.deliveriesFailing > 0 ? `${count(t.deliveriesFailing)} of ${counted(t.sinks, 'sink')} failing` : `waiting, for ${counted(t.sinks, 'sink')}`} />
        {t.chrome && <Tile href="/studio/system#chrome" name="Chrome" value={`${count(t.chrome.used)} / ${count(t.chrome.size)}`} level={t.chrome.failed > 0 ? 'error' : undefined} about={t.chrome.failed > 0 ? `${counted(t.chrome.failed, 'browser')} failed` : 'in use'} />}
        <Tile href="/studio/system#storage" name="Disk" value={`${bytes(t.disk.freeBytes)} free`} level={t.disk.low ? 'error' : undefined} about={t.disk.low ? 'too little: nothing is taken in' : (t.disk.measuredAt ? `${bytes(t.disk.bytes)} kept` : 'not measured yet')} />
      </div>
    </section>
  );
}
