// One delivery: what it tells, every attempt at it, and what may be done.

import { useEffect, useRef, useState } from 'preact/hooks';

import { path, post, query } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { DeliveryAttempt, DeliveryDetail as Detail } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { Act } from '../../ui/act.tsx';
import { useLoad } from '../../ui/load.ts';
import { Mark, Note, now, Trouble, When } from '../../ui/show.tsx';
import { count, counted, span } from '../../ui/words.ts';
import { Values } from '../values.tsx';
import { About, SinkName } from './deliveries.tsx';
import { DiscardDialog } from './discard.tsx';
import { sinkLink, stateLevels, stateWords } from './words.ts';
import './delivery.css';

export function DeliveryDetail({ id }: { id: string }) {
  const answer = useLoad<{ delivery: Detail }>(path`/deliveries/${id}`);
  const [giving, setGiving] = useState(false);
  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change !== first.current) answer.again();
  }, [change]);
  const d = answer.data?.delivery;
  const actions = d && (
    <>
      {(d.state === 'dead' || d.state === 'delivered') && <Act act={() => post(path`/deliveries/${id}/replay`)} done="It is sent again" then={answer.again} kind={d.state === 'dead' ? 'strong' : ''}>Replay</Act>}
      {d.state === 'dead' && <button type="button" class="button danger" onClick={() => setGiving(true)}>Discard</button>}
    </>
  );
  return (
    <Page title={d ? d.event : 'Delivery'} over={<><a href="/studio/deliveries">Deliveries</a> · <span class="mono">{id}</span></>} actions={actions}>
      {answer.error !== undefined && <Trouble error={answer.error} again={answer.again} />}
      {!d && answer.error === undefined && <p class="soft" role="status">Looking it up …</p>}
      {d && <Body d={d} />}
      {giving && <DiscardDialog title="Discard this delivery?" about={<p>It is not sent any more. What it tells stays to be read.</p>} act={(reason) => post(path`/deliveries/${id}/discard`, { reason })} done="It is given up" close={() => setGiving(false)} then={answer.again} />}
    </Page>
  );
}

function Body({ d }: { d: Detail }) {
  const tells = d.row ?? d.data;
  return (
    <>
      {d.error && d.state !== 'delivered' && (
        <Note level={d.state === 'dead' ? 'error' : 'warn'}>
          <p><strong>{d.error}</strong></p>
          <p class="soft">{d.state === 'dead' ? <>No more attempts are made. Mend the receiver, then replay it{d.cause && <>, or <a href={`/studio/dead-letters${query({ sink: d.sink.includes(':') ? '' : d.sink, cause: d.cause })}`}>all that died of the same</a></>}.</> : d.dueAt ? <>{Date.parse(d.dueAt) > now.value ? <>It is tried again <When time={d.dueAt} />.</> : 'It is tried again when its sink takes more.'}{sinkLink(d.sink) && <> <a href={sinkLink(d.sink)!}>Look at the sink</a></>}</> : 'It is tried again.'}</p>
        </Note>
      )}
      {d.discarded && <Note><p>Given up by {d.discarded.by} <When time={d.discarded.at} />: {d.discarded.reason}</p></Note>}
      <section class="card">
        <dl class="facts">
          <dt>State</dt><dd><Mark level={stateLevels[d.state] ?? 'quiet'}>{stateWords[d.state] ?? d.state}</Mark></dd>
          <dt>Of</dt><dd><About of={d} />{d.generation > 0 && `, generation ${d.generation}`}</dd>
          <dt>Sink</dt><dd><SinkName name={d.sink} /></dd>
          <dt>Made</dt><dd><When time={d.createdAt} /></dd>
          {d.endedAt && <><dt>Ended</dt><dd><When time={d.endedAt} /></dd></>}
          <dt>Attempts</dt><dd>{count(d.attempts)}{d.spentAttempts > 0 && `, and ${count(d.spentAttempts)} before it was replayed`}</dd>
        </dl>
      </section>
      <section class="card">
        <h2>Attempts</h2>
        {d.tries.length === 0 ? <p class="soft">None yet.</p> : <ol class="attempts">{[...d.tries].reverse().map((t, i) => <li key={`${t.at}${i}`}><Attempt t={t} /></li>)}</ol>}
      </section>
      <section class="card stack">
        <h2>What it tells</h2>
        {d.outputs.length > 0 && (
          <ul class="row">
            {d.outputs.map((o) => (
              <li key={o.output} class="output">
                {o.url ? <a href={new URL(o.url, location.href).pathname}>{o.format === 'pdf' ? `${o.output} (PDF)` : <img src={new URL(o.url, location.href).pathname} alt={`${d.key ?? ''}, ${o.output}`} loading="lazy" />}</a> : <Mark level="error">{o.error ?? 'no picture'}</Mark>}
                <span class="small soft">{o.output}{o.width ? `, ${o.width} × ${o.height}` : ''}</span>
              </li>
            ))}
          </ul>
        )}
        {d.rowError !== undefined && <Note level="error"><pre class="wrap">{JSON.stringify(d.rowError, null, 2)}</pre></Note>}
        {tells === undefined || tells === null ? <p class="soft small">{d.outputs.length > 0 ? 'Its row is kept no longer.' : 'What it told is kept no longer.'}</p> : <Values of={tells} />}
      </section>
    </>
  );
}

/** Attempt is one attempt with what was answered to it. */
function Attempt({ t }: { t: DeliveryAttempt }) {
  const a = t.answer;
  const headers = Object.entries(a?.headers ?? {});
  return (
    <div class="attempt">
      <div class="spread">
        <Mark level={t.ok ? 'ok' : 'error'}>{t.ok ? 'Arrived' : 'Failed'}{a?.status ? `, ${a.status}` : ''}</Mark>
        <span class="small soft">attempt {t.attempt} · {span(t.durationMs / 1000)} · <When time={t.at} /></span>
      </div>
      {t.error && <p class="wrap">{t.error}</p>}
      {a && (headers.length > 0 || a.body || a.ref) && (
        <details>
          <summary>What was answered{headers.length > 0 ? `, ${counted(headers.length, 'header')}` : ''}</summary>
          {a.ref && <p class="mono wrap">{a.ref}</p>}
          {headers.length > 0 && <dl class="facts mono">{headers.map(([name, value]) => <><dt key={name}>{name}</dt><dd key={`${name}=`}>{value}</dd></>)}</dl>}
          {a.body && <pre class="answer" tabIndex={0}>{a.body}</pre>}
        </details>
      )}
    </div>
  );
}
