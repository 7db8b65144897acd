// How a sink fares: what waits, what was given up, and a test.

import { useState } from 'preact/hooks';

import { path, post } from '../../api/client.ts';
import type { Connection, SinkTest } from '../../api/ops.ts';
import { Act } from '../../ui/act.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Field, Input, Select } from '../../ui/field.tsx';
import { canonical } from '../../ui/key.ts';
import { Trouble, When } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { count, counted } from '../../ui/words.ts';
import { Outcome } from './outcome.tsx';

export function SinkActs({ of: c, at, again }: { of: Connection; at: string; again: () => void }) {
  const [telling, setTelling] = useState(false);
  const stopped = c.delivery?.state === 'paused' || c.delivery?.state === 'disabled' || c.delivery?.state === 'resting';
  return (
    <>
      {stopped
        ? <Act kind="strong" act={() => post(`${at}/resume`)} done={`${c.name} goes on: ${counted(c.delivery?.waiting ?? 0, 'delivery', 'deliveries')} go out`} then={again}>Resume</Act>
        : <Act act={() => post(`${at}/pause`)} done={`${c.name} is paused: what comes waits`} then={again}>Pause</Act>}
      <button type="button" class="button" onClick={() => setTelling(true)}>Tell again</button>
      {telling && <TellAgain of={c} at={at} close={() => setTelling(false)} />}
    </>
  );
}

/** TellAgain has a sink told again what it was told last. */
function TellAgain({ of: c, at, close }: { of: Connection; at: string; close: () => void }) {
  const [since, setSince] = useState('');
  const [binding, setBinding] = useState('');
  const act = async () => {
    const done = await post<{ told: number; waiting: number; gone: number }>(`${at}/redeliver`, { ...(since && { since }), ...(binding && { binding }) });
    toast(`${counted(done.told, 'delivery', 'deliveries')} are sent again${done.waiting > 0 ? `; of ${count(done.waiting)} rows something newer is on its way` : ''}`);
  };
  return (
    <Confirm title={`Tell ${c.name} again`} verb="Tell again" act={act} close={close} question={
      <div class="stack">
        <p>It is told once more what it was told last of each row, as after it had lost what it had. Receivers that remember ids drop what they have.</p>
        <Field label="Only since" help="A time, a day, or how long ago, as in 2h. Empty: all"><Input value={since} change={setSince} placeholder="2h" /></Field>
        <Field label="Only of"><Select value={binding} change={setBinding} choices={[{ value: '', label: 'every binding' }, ...c.usedBy]} /></Field>
      </div>
    } />
  );
}

export function SinkPart({ of: c, at }: { of: Connection; at: string }) {
  const d = c.delivery;
  const name = encodeURIComponent(c.name);
  return (
    <>
      <dl class="facts">
        <dt>Last arrival</dt><dd><When time={d?.arrivedAt} /></dd>
        {d?.failingSince && <><dt>Nothing arrived since</dt><dd><When time={d.failingSince} />, {counted(d.failures ?? 0, 'failure')} in a row</dd></>}
        {d?.restingUntil && <><dt>Rests until</dt><dd><When time={d.restingUntil} /></dd></>}
        {d?.disabledAt && <><dt>Disabled</dt><dd><When time={d.disabledAt} /></dd></>}
        <dt>Waiting</dt><dd><a href={`/studio/deliveries?sink=${name}&state=waiting`}>{counted(d?.waiting ?? 0, 'delivery', 'deliveries')}</a></dd>
        <dt>Dead letters</dt><dd><a href={`/studio/dead-letters?sink=${name}`}>{counted(d?.deadLetters ?? 0, 'delivery', 'deliveries')}</a></dd>
        <dt>All deliveries</dt><dd><a href={`/studio/deliveries?sink=${name}`}>with their attempts</a></dd>
        <dt>Used by</dt><dd>{c.usedBy.length === 0 ? 'nobody' : c.usedBy.map((b, i) => <span key={b}>{i > 0 && ', '}<a href={`/studio${path`/bindings/${b}`}`}>{b}</a></span>)}</dd>
      </dl>
      <SinkTestPart of={c} at={at} />
    </>
  );
}

const events = [{ value: '', label: 'what is so of the row' }, 'render.completed', 'render.failed', 'image.removed'];

function SinkTestPart({ of: c, at }: { of: Connection; at: string }) {
  const [binding, setBinding] = useState('');
  const [key, setKey] = useState('');
  const [event, setEvent] = useState('');
  const [test, setTest] = useState<SinkTest>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const run = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    await post<SinkTest>(`${at}/test`, { ...(event && { event }), ...(binding && { binding, key: canonical(key) }) }).then(setTest, setError);
    setBusy(false);
  };
  return (
    <section class="stack" aria-labelledby="test">
      <h2 id="test">Test</h2>
      <form class="filters" onSubmit={run}>
        <Field label="Tells of"><Select value={binding} change={setBinding} choices={[{ value: '', label: 'a row that there is not' }, ...c.usedBy.map((b) => ({ value: b, label: `a row of ${b}` }))]} /></Field>
        {binding && <Field label="Key"><Input value={key} change={setKey} required placeholder="SKU-1" /></Field>}
        <Field label="Event"><Select value={event} change={setEvent} choices={events} /></Field>
        <button type="submit" class="button strong" disabled={busy}>{busy ? 'Sending …' : 'Send a test'}</button>
      </form>
      {error !== undefined && <Trouble error={error} />}
      {test && <Outcome of={test} />}
    </section>
  );
}
