// Dead letters: deliveries that are tried no more, those of the same error together.

import { useEffect, useRef, useState } from 'preact/hooks';

import { path, post, query } from '../../api/client.ts';
import { changes, overview } from '../../api/live.ts';
import type { Delivery, DeliveryDetail, LetterGroup } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { Act } from '../../ui/act.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { usePages } from '../../ui/paged.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';
import { Filters } from '../filterbar.tsx';
import { About, SinkName } from './deliveries.tsx';
import { DiscardDialog } from './discard.tsx';
import './delivery.css';

const names = ['sink', 'binding', 'cause', 'since'] as const;

export function DeadLetters() {
  const [filters, set] = useFilters();
  const asked = Object.fromEntries(names.map((n) => [n, filters[n]]));
  const list = useLoad<{ groups: LetterGroup[] }>(`/dead-letters${query({ ...asked, limit: 100 })}`);
  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change !== first.current) list.again();
  }, [change]);
  const bindings = overview.value?.bindings ?? [];
  const groups = list.data?.groups ?? [];
  const all = groups.reduce((n, g) => n + g.count, 0);
  const filtered = names.some((n) => filters[n]);
  return (
    <Page title="Dead letters" over={<a href="/studio/deliveries">Deliveries</a>} actions={all > 0 && <span class="soft" role="status">{counted(all, 'dead letter')} of {counted(groups.length, 'cause')}</span>}>
      <Filters values={filters} set={set} filters={[
        { name: 'sink', label: 'Sink', any: 'Any sink', choices: [...new Set([...bindings.flatMap((b) => b.sinks), 'batch', 'batch_rows', 'subscriptions'])] },
        { name: 'binding', label: 'Binding', any: 'Any binding', choices: bindings.map((b) => b.name) },
        { name: 'since', label: 'Died since', any: 'Any time', choices: [{ value: '1h', label: 'The last hour' }, { value: '24h', label: 'The last day' }, { value: '168h', label: 'The last week' }] },
        ...(filters.cause ? [{ name: 'cause', label: 'Cause' }] : []),
      ]} />
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      <ul class="stack" aria-label="Causes">{groups.map((g) => <li key={`${g.sink} ${g.cause}`}><Group group={g} binding={filters.binding} since={filters.since} again={list.again} /></li>)}</ul>
      {list.data && groups.length === 0 && (filtered
        ? <Empty title="No dead letter fits these filters"><button type="button" class="button" onClick={() => set(Object.fromEntries(names.map((n) => [n, ''])))}>Take the filters away</button></Empty>
        : <Empty title="There are no dead letters"><p>A delivery that fails for good, or too often, comes here; nothing is lost. <a href="/studio/deliveries">See all deliveries</a></p></Empty>)}
      {!list.data && list.error === undefined && <p class="soft" role="status">Looking for dead letters …</p>}
    </Page>
  );
}

function Group({ group: g, binding, since, again }: { group: LetterGroup; binding: string | undefined; since: string | undefined; again: () => void }) {
  const [open, setOpen] = useState(false);
  const [giving, setGiving] = useState(false);
  // Exactly those of the group that are shown: what the filters leave out stays as it is.
  const selection = { cause: g.cause, sink: g.sink, ...(binding ? { binding } : {}), ...(since ? { since } : {}) };
  return (
    <article class="card letters" aria-label={g.error}>
      <div class="spread">
        <h2><SinkName name={g.sink} />: {counted(g.count, 'dead letter')}</h2>
        <div class="row">
          <Act act={() => post('/dead-letters/replay', selection)} done={`${counted(g.count, 'dead letter')} are tried again`} then={again} kind="strong"
            confirm={{ title: `Replay ${counted(g.count, 'dead letter')}?`, question: <p>Each is sent to {g.sink} again, one after the other. Mend what is wrong first, or they come back.</p> }}>Replay all</Act>
          <button type="button" class="button danger" onClick={() => setGiving(true)}>Discard all</button>
        </div>
      </div>
      <p class="wrap why">{g.error}</p>
      <p class="small soft">{g.events.join(', ')} · first <When time={g.firstSeenAt} />, last <When time={g.lastSeenAt} /></p>
      <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? 'Hide them' : 'Show them'}</button>
      {open && <Letters query={query({ ...selection, state: 'dead', limit: 50 })} version={`${g.count}${g.lastSeenAt}`} again={again} />}
      {giving && <DiscardDialog title={`Discard ${counted(g.count, 'dead letter')}?`} about={<p>They are not sent to {g.sink} any more. What they tell stays to be read.</p>} act={(reason) => post('/dead-letters/discard', { ...selection, reason })} done={`${counted(g.count, 'dead letter')} are given up`} close={() => setGiving(false)} then={again} />}
    </article>
  );
}

interface DeliveryList {
  deliveries: Delivery[];
  next?: string;
}

const read = (p: DeliveryList) => ({ items: p.deliveries, next: p.next || null });
const idOf = (d: Delivery) => d.id;

function Letters({ query: asked, version, again }: { query: string; version: string; again: () => void }) {
  const list = usePages<DeliveryList, Delivery>(`/deliveries${asked}`, read, idOf, 'after');
  const seen = useRef(version);
  useEffect(() => {
    if (seen.current === version) return;
    seen.current = version;
    list.again();
  }, [version]);
  return (
    <>
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      <ul class="letter-list">{list.items.map((d) => <li key={d.id}><Letter d={d} again={again} /></li>)}</ul>
      {list.more && <button type="button" class="button" onClick={list.more}>More</button>}
    </>
  );
}

function Letter({ d, again }: { d: Delivery; again: () => void }) {
  const [open, setOpen] = useState(false);
  const [giving, setGiving] = useState(false);
  return (
    <div class="letter">
      <div class="spread">
        <span><a href={path`/studio/deliveries/${d.id}`}>{d.event}</a> <About of={d} /></span>
        <span class="row small">
          <span class="soft">{counted(d.attempts, 'attempt')}, died <When time={d.endedAt} /></span>
          <button type="button" class="button plain" aria-expanded={open} onClick={() => setOpen(!open)}>Payload</button>
          <Act act={() => post(path`/deliveries/${d.id}/replay`)} done="It is sent again" then={again}>Replay</Act>
          <button type="button" class="button plain" onClick={() => setGiving(true)}>Discard</button>
        </span>
      </div>
      {open && <Payload id={d.id} />}
      {giving && <DiscardDialog title="Discard this dead letter?" about={<p>It is not sent any more.</p>} act={(reason) => post(path`/deliveries/${d.id}/discard`, { reason })} done="It is given up" close={() => setGiving(false)} then={again} />}
    </div>
  );
}

function Payload({ id }: { id: string }) {
  const answer = useLoad<{ delivery: DeliveryDetail }>(path`/deliveries/${id}`);
  if (answer.error !== undefined) return <Trouble error={answer.error} again={answer.again} />;
  if (!answer.data) return <p class="soft">Looking it up …</p>;
  const { row, data, rowError, outputs } = answer.data.delivery;
  return <pre class="answer" tabIndex={0} aria-label={`Payload, ${count(outputs.length)} outputs`}>{JSON.stringify({ row, data, error: rowError, outputs }, null, 2)}</pre>;
}
