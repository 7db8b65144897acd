// Queue, storage and caches.

import type { System } from '../../api/ops.ts';
import { Bar, When } from '../../ui/show.tsx';
import { bytes, count, percent, span } from '../../ui/words.ts';

export function Queue({ of: q }: { of: System['queue'] }) {
  const byPriority = Object.entries(q.byPriority ?? {}).filter(([, n]) => n > 0);
  return (
    <section class="card" aria-labelledby="queue">
      <h2 id="queue">Queue</h2>
      <dl class="facts">
        <dt>Waiting</dt><dd>{count(q.waiting)}</dd>
        <dt>Drawing</dt><dd>{count(q.drawing)}</dd>
        <dt>Resting</dt><dd>{count(q.resting)}{q.resting > 0 && ', to be tried again'}</dd>
        <dt>Done in</dt><dd>{q.depth === 0 ? 'nothing waits' : q.etaSeconds === null ? 'nobody knows yet' : `about ${span(q.etaSeconds)}`}</dd>
        {byPriority.map(([name, n]) => [<dt key={`${name}-`}>{name}</dt>, <dd key={name}>{count(n)}</dd>])}
      </dl>
      <p class="small"><a href="/studio/jobs">Jobs</a></p>
    </section>
  );
}

export function Storage({ of: s }: { of: System['storage'] }) {
  const ours = s.ledgerBytes + s.blobs.bytes;
  const label = `${bytes(ours)} ours, ${bytes(s.freeBytes)} free of ${bytes(s.totalBytes)}`;
  return (
    <section class="card" aria-labelledby="storage">
      <h2 id="storage">Storage</h2>
      {s.totalBytes > 0 && <Bar parts={[{ part: 'done', n: ours }, { part: 'left', n: Math.max(0, s.totalBytes - s.freeBytes - ours) }]} label={label} />}
      <dl class="facts">
        <dt>Images</dt><dd>{s.blobs.measuredAt ? <><a href="/studio/images">{bytes(s.blobs.bytes)}</a> in {count(s.blobs.files)} files</> : 'not measured yet: the first sweep does'}</dd>
        {s.blobs.measuredAt && <><dt>Superseded</dt><dd>{bytes(s.blobs.supersededBytes)}, removed as <code>keep.superseded</code> says</dd></>}
        <dt>Ledger</dt><dd>{bytes(s.ledgerBytes)}</dd>
        {s.totalBytes > 0 && <><dt>Free</dt><dd>{bytes(s.freeBytes)} of {bytes(s.totalBytes)}</dd></>}
        {s.blobs.measuredAt && <><dt>Measured</dt><dd><When time={s.blobs.measuredAt} /></dd></>}
      </dl>
    </section>
  );
}

export function Caches({ of: all }: { of: System['caches'] }) {
  return (
    <section class="card" aria-labelledby="caches">
      <h2 id="caches">Caches</h2>
      {all.length === 0 && <p class="soft">Nothing is held in memory yet.</p>}
      <dl class="facts">
        {all.map((c) => [
          <dt key={`${c.name}-`}>{c.name}</dt>,
          <dd key={c.name}>{count(c.entries)} entries{c.bytes !== undefined && `, ${bytes(c.bytes)}`}; {c.hits + c.misses === 0 ? 'not asked yet' : `${percent(c.hits / (c.hits + c.misses))} of ${count(c.hits + c.misses)} found there`}</dd>,
        ])}
      </dl>
    </section>
  );
}
