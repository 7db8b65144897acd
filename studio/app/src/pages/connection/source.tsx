// How a source is read, or followed.

import { useState } from 'preact/hooks';

import { path, post } from '../../api/client.ts';
import type { Connection, ConnectionTest, Stream } from '../../api/ops.ts';
import { Act } from '../../ui/act.tsx';
import { Bar, Copy, type Level, Mark, Note, Trouble, When } from '../../ui/show.tsx';
import { freshness } from '../../ui/state.tsx';
import { bytes, count, counted, percent } from '../../ui/words.ts';
import { Steps } from './steps.tsx';

export function SourceActs({ of: c, at, again }: { of: Connection; at: string; again: () => void }) {
  const user = c.usedBy[0];
  if (c.stream) {
    return (
      <Act act={() => post(`${at}/resnapshot`)} done="All rows are read again" then={again}
        confirm={{ title: `Read all rows of ${c.name} again?`, question: <p>About {counted(c.reading?.rows ?? 0, 'row')}. What is as before is not drawn again, and changes go on meanwhile.</p> }}>
        Read all again
      </Act>
    );
  }
  return user ? <Act act={() => post(`${path`/bindings/${user}`}/refresh`)} done={`${c.name} is read`} then={again}>Read now</Act> : null;
}

export function SourcePart({ of: c, at }: { of: Connection; at: string }) {
  const f = c.freshness;
  return (
    <>
      <div class="pair">
        <dl class="facts">
          <dt>Freshness</dt><dd>{freshness(f)}</dd>
          <dt>Last reading</dt><dd>{c.reading?.readAt ? <><When time={c.reading.readAt} />, {counted(c.reading.rows, 'row')}{!c.reading.complete && <>, not complete{c.reading.reason && `: ${c.reading.reason}`}</>}</> : 'none yet'}{f?.reading && <> <Mark level="busy">one is under way</Mark></>}</dd>
          <dt>Last change</dt><dd><When time={f?.changedAt} />{f && f.unchangedReadings > 0 && `, ${counted(f.unchangedReadings, 'reading')} since`}</dd>
          <dt>Next reading</dt><dd>{f?.nextAt ? <When time={f.nextAt} /> : 'when it is told'}</dd>
          {f && f.failures > 0 && <><dt>Failures</dt><dd>{counted(f.failures, 'reading')} in a row: {f.error}</dd></>}
          <dt>Kept out</dt><dd><a href={`/studio${at}/quarantine`}>{counted(f?.quarantined ?? 0, 'row')}</a></dd>
          <dt>Used by</dt><dd>{c.usedBy.length === 0 ? 'nobody' : c.usedBy.map((b, i) => <span key={b}>{i > 0 && ', '}<a href={`/studio${path`/bindings/${b}`}`}>{b}</a></span>)}</dd>
          {c.hookUrl && <><dt>Rows are sent to</dt><dd><code class="wrap">{c.hookUrl}</code> <Copy text={c.hookUrl} /></dd></>}
        </dl>
        {c.stream && <StreamCard of={c.stream} />}
      </div>
      {c.warnings?.map((w) => <Note key={w} level="warn">{w}</Note>)}
      <Test at={at} />
    </>
  );
}

const phases: Record<string, [Level, string]> = { connecting: ['busy', 'Connecting'], snapshot: ['busy', 'Reading all rows'], streaming: ['ok', 'Following changes'], halted: ['error', 'Waits for a person'] };

/** StreamCard is how a source fares whose changes are followed. */
function StreamCard({ of: s }: { of: Stream }) {
  const [level, word] = phases[s.phase] ?? ['quiet', s.phase];
  const lag = Object.entries(s.lag);
  return (
    <section class="card stack" aria-labelledby="stream">
      <div class="spread"><h2 id="stream">Stream</h2><Mark level={level}>{word}</Mark></div>
      {s.halted && <Note level="error"><p><strong>{s.halted.why}</strong></p>{s.halted.next && <p>{s.halted.next}</p>}</Note>}
      {s.gap && <Note level="warn"><p><strong>Changes may have been missed <When time={s.gap.at} />: {s.gap.why}</strong></p><p>All rows are read again by themselves; until then what was missed stays as it was.</p></Note>}
      {s.warning && <Note level="warn"><p><strong>{s.warning.why}</strong></p>{s.warning.next && <p>{s.warning.next}</p>}</Note>}
      {s.snapshot && <Snapshot rows={s.snapshot.rows} of={s.snapshot.ofRows} />}
      <dl class="facts">
        <dt>In this phase</dt><dd>since <When time={s.since} /></dd>
        <dt>Heard</dt><dd><When time={s.heardAt} /></dd>
        <dt>Left to tell</dt><dd>{lag.length === 0 ? 'nothing known' : lag.map(([part, n]) => <div key={part}>{part}: {count(n)}</div>)}</dd>
        {s.retainedBytes > 0 && <><dt>Kept by its server</dt><dd>{bytes(s.retainedBytes)}</dd></>}
        <dt>Gaps</dt><dd>{count(s.gaps)}{s.resnapshot && ', all rows are to be read again'}</dd>
      </dl>
    </section>
  );
}

function Snapshot({ rows, of }: { rows: number; of: number }) {
  const label = of > 0 ? `${count(rows)} of about ${count(of)} rows, ${percent(Math.min(1, rows / of))}` : `${counted(rows, 'row')} so far`;
  return <div><Bar parts={[{ part: 'done', n: rows }, { part: 'left', n: Math.max(0, of - rows) }]} label={label} /><p class="soft small">{label}</p></div>;
}

function Test({ at }: { at: string }) {
  const [test, setTest] = useState<ConnectionTest>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    await post<ConnectionTest>(`${at}/test`).then(setTest, setError);
    setBusy(false);
  };
  return (
    <section class="stack" aria-labelledby="test">
      <div class="spread"><h2 id="test">Connection test</h2><button type="button" class="button" disabled={busy} onClick={run}>{busy ? 'Testing …' : 'Test the connection'}</button></div>
      {error !== undefined && <Trouble error={error} />}
      {test && <Steps of={test} />}
    </section>
  );
}
