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
import { capital, count, counted, percent, span } from '../../ui/words.ts';

const names: Record<Stage['name'], string> = { source: 'Source', fetch: 'Fetch', map: 'Map', render: 'Render', deliver: 'Deliver' };
const words = { ok: 'Well', warn: 'Warning', error: 'Error', paused: 'Paused' };

function StageCard({ stage: s }: { stage: Stage }) {
  return (
    <li class="card stage" data-level={s.level}>
      <h3><Mark level={s.level}><span class="hide">{words[s.level]}: </span></Mark>{s.link ? <a href={within(s.link)}>{names[s.name]}</a> : names[s.name]}</h3>
      <p class="time">{s.latencyMs === null ? '–' : span(s.latencyMs / 1000)}</p>
      {s.detail && <p class="soft small wrap">{s.detail}</p>}
      {s.at && <p class="soft small"><When time={s.at} /></p>}
      {s.cause && <p class="small wrap cause">{capital(s.cause)}</p>}
      {s.next && <p class="small wrap">{s.link ? <a href={within(s.link)}>{capital(s.next)}</a> : capital(s.next)}</p>}
    </li>
  );
}

export function Pipe({ of: b }: { of: Binding }) {
  const at = path`/bindings/${b.name}`;
  const way = useLoad<Pipeline>(`${at}/pipeline`, [changes.value]);
  const came = way.data?.payload;
  return (
    <>
      {way.error !== undefined && !way.data && <Trouble error={way.error} again={way.again} />}
      <ol class="pipe" aria-label="The way of a row">{(way.data?.stages as Stage[] | undefined)?.map((s) => <StageCard key={s.name} stage={s} />)}</ol>
      {b.waiting > 0 && <Backfill of={b} />}
      {came && (
        <section aria-labelledby="payload">
          <h2 id="payload">Rows as they came last <span class="soft">{came.at ? <When time={came.at} /> : 'nothing came yet'}</span></h2>
          {came.rows.length > 0 && <Rows label="Rows as they came last" rows={came.rows} />}
          {came.total > came.rows.length && <p class="soft small"><a href={`/studio${at}/rows`}>{count(came.total)} rows in all</a></p>}
        </section>
      )}
    </>
  );
}

/** Backfill is how far the pictures are of all the rows that there are. */
function Backfill({ of: b }: { of: Binding }) {
  const done = b.ready + b.failed;
  const label = `${count(done)} of ${counted(done + b.waiting, 'image')}, ${percent(done / (done + b.waiting))}`;
  const at = path`/bindings/${b.name}`;
  const paused = b.freshness?.state === 'paused';
  return (
    <section class="card stack" aria-labelledby="backfill">
      <div class="spread">
        <h2 id="backfill">Backfill <span class="soft">{paused ? 'paused' : 'under way'}</span></h2>
        {paused
          ? <Act act={() => post(`${at}/resume`)} done="It goes on">Go on</Act>
          : <Act act={() => post(`${at}/pause`)} done="It is paused: what is made stays">Pause backfill</Act>}
      </div>
      <Bar parts={[{ part: 'done', n: b.ready }, { part: 'failed', n: b.failed }, { part: 'left', n: b.waiting }]} label={label} />
      <p class="soft small">{label}{b.freshness?.oldestWantedAt && <>, the oldest waits since <When time={b.freshness.oldestWantedAt} /></>}</p>
    </section>
  );
}
