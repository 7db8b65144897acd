// The way of a row: source, fetch, map, render, deliver, each with how long it
// takes and why it does not work; and what came last.

import { path, post } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Pipeline, Stage } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { Act } from '../../ui/act.tsx';
import { useLoad } from '../../ui/load.ts';
import { within } from '../../ui/order.tsx';
import { Bar, Mark, Trouble, When } from '../../ui/show.tsx';
import { Rows } from '../../ui/value.tsx';
import { count, counted, percent, span } from '../../ui/words.ts';

const names: Record<Stage['name'], string> = { source: 'Source', fetch: 'Fetch', map: 'Map', render: 'Render', deliver: 'Deliver' };
const words = { ok: 'Well', warn: 'Warning', error: 'Error', paused: 'Paused' };

function StageCard({ stage: s }: { stage: Stage }) {
  return (
    <li class="card stage" data-level={s.level}>
      <h3><Mark level={s.level}><span class="hide">{words[s.level]}: </span></Mark>{s.link ? <a href={within(s.link)}>{names[s.name]}</a> : names[s.name]}</h3>
      <p class="time">{s.latencyMs === null ? '–' : span(s.latencyMs / 1000)}</p>
      {s.detail && <p class="soft small wrap">{s.detail}</p>}
      {s.at && <p class="soft small"><When time={s.at} /></p>}
      {s.cause && <p class="small wrap cause">{s.cause}</p>}
      {s.next && <p class="small wrap">{s.link ? <a href={within(s.link)}>{s.next}</a> : s.next}</p>}
    </li>
  );
}

export function Pipe({ of: b }: { of: Binding }) {
  const at = path`/bindings/${b.name}`;
  const { data, error, again } = useLoad<Pipeline>(`${at}/pipeline`, [changes.value]);
  if (error !== undefined && !data) return <Trouble error={error} again={again} />;
  if (!data) return <p class="soft">Looking …</p>;
  return (
    <>
      <ol class="pipe" aria-label="The way of a row">{data.stages.map((s) => <StageCard key={s.name} stage={s} />)}</ol>
      {data.backfill && <Backfill of={b} fill={data.backfill} />}
      <section aria-labelledby="payload">
        <h2 id="payload">Last payload <span class="soft">{data.payload.at ? <When time={data.payload.at} /> : 'nothing came yet'}</span></h2>
        {data.payload.rows.length > 0 && <Rows label="Last payload" rows={data.payload.rows} />}
        {data.payload.total > data.payload.rows.length && <p class="soft small"><a href={`/studio${at}/rows`}>{count(data.payload.total)} rows in all</a></p>}
      </section>
    </>
  );
}

/** Backfill is how far the pictures are of all the rows that there were. */
function Backfill({ of: b, fill }: { of: Binding; fill: NonNullable<Pipeline['backfill']> }) {
  const left = fill.total === null ? 0 : Math.max(fill.total - fill.done, 0);
  const label = fill.total === null ? `${counted(fill.done, 'row')} so far` : `${count(fill.done)} of ${counted(fill.total, 'row')}, ${percent(fill.share ?? 0)}`;
  const at = path`/bindings/${b.name}`;
  return (
    <section class="card stack" aria-labelledby="backfill">
      <div class="spread">
        <h2 id="backfill">Backfill <span class="soft">{fill.state}</span></h2>
        {b.freshness?.state === 'paused'
          ? <Act act={() => post(`${at}/resume`)} done="It goes on">Go on</Act>
          : <Act act={() => post(`${at}/pause`)} done="It is paused: what is made stays">Pause backfill</Act>}
      </div>
      <Bar parts={[{ part: 'done', n: fill.done }, { part: 'left', n: left }]} label={label} />
      <p class="soft small">{label}{fill.startedAt && <>, begun <When time={fill.startedAt} /></>}</p>
    </section>
  );
}

