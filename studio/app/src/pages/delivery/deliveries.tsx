// Deliveries: what was told to whom, newest first.

import { useEffect, useRef } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { changes, overview } from '../../api/live.ts';
import type { Delivery } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { usePages } from '../../ui/paged.ts';
import { Empty, Mark, now, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count } from '../../ui/words.ts';
import { Filters, type Filter } from '../filterbar.tsx';
import { Sinks } from './sinks.tsx';
import { sinkLink, stateLevels, states, stateWords } from './words.ts';
import './delivery.css';

interface DeliveryList {
  deliveries: Delivery[];
  next?: string;
}

const read = (p: DeliveryList) => ({ items: p.deliveries, next: p.next || null });
const idOf = (d: Delivery) => d.id;
const names = ['sink', 'state', 'binding', 'job', 'event', 'key', 'since', 'cause'] as const;

/** What is the row, job or binding that a delivery tells of. */
export function About({ of: d }: { of: Delivery }) {
  if (d.jobId) return <><a href={path`/studio/jobs/${d.jobId}` + query({ key: d.key })}>{d.key || 'job'}</a> <span class="soft small wrap">{d.key ? `of ${d.jobId}` : d.jobId}</span></>;
  if (!d.binding) return <span class="soft">–</span>;
  return <><a href={d.key ? path`/studio/bindings/${d.binding}/rows` + query({ key: d.key }) : path`/studio/bindings/${d.binding}`}>{d.key || d.binding}</a>{d.key && <span class="soft small"> of {d.binding}</span>}</>;
}

export function SinkName({ name }: { name: string }) {
  const link = sinkLink(name);
  return link ? <a href={link}>{name}</a> : <span>{name}</span>;
}

export function Deliveries() {
  const [filters, set] = useFilters();
  const asked = Object.fromEntries(names.map((n) => [n, filters[n]]));
  const list = usePages<DeliveryList, Delivery>(`/deliveries${query({ ...asked, limit: 100 })}`, read, idOf, 'after');
  const filtered = names.some((n) => filters[n]);
  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change !== first.current) list.fresh();
  }, [change]);

  const bindings = overview.value?.bindings ?? [];
  const choices: Filter[] = [
    { name: 'state', label: 'State', any: 'Any state', choices: states.map((value) => ({ value, label: stateWords[value]! })) },
    { name: 'sink', label: 'Sink', any: 'Any sink', choices: [...new Set([...bindings.flatMap((b) => b.sinks), 'batch', 'batch_rows', 'subscriptions'])] },
    { name: 'binding', label: 'Binding', any: 'Any binding', choices: bindings.map((b) => b.name) },
    { name: 'job', label: 'Job', placeholder: 'Id of a job' },
    { name: 'key', label: 'Key', placeholder: 'Key of a row' },
    { name: 'event', label: 'Event', placeholder: 'render.completed' },
    { name: 'since', label: 'Since', any: 'Any time', choices: [{ value: '15m', label: 'The last 15 minutes' }, { value: '1h', label: 'The last hour' }, { value: '24h', label: 'The last day' }, { value: '168h', label: 'The last week' }] },
  ];
  const columns: Column<Delivery>[] = [
    { name: 'Event', cell: (d) => <a href={path`/studio/deliveries/${d.id}`}>{d.event}</a> },
    { name: 'Of', cell: (d) => <About of={d} /> },
    { name: 'Sink', cell: (d) => <SinkName name={d.sink} /> },
    { name: 'State', cell: (d) => <><Mark level={stateLevels[d.state] ?? 'quiet'}>{stateWords[d.state] ?? d.state}</Mark>{d.state === 'waiting' && d.dueAt && <div class="small soft">{Date.parse(d.dueAt) > now.value ? <>next try <When time={d.dueAt} /></> : 'until its sink takes more'}</div>}</> },
    { name: 'Attempts', number: true, cell: (d) => count(d.attempts) },
    { name: 'Answer', cell: (d) => (d.answer?.status ? <code>{d.answer.status}</code> : <span class="soft">–</span>) },
    { name: 'Made', cell: (d) => <When time={d.createdAt} /> },
    { name: 'Why', width: '26%', cell: (d) => (d.state === 'discarded' && d.discarded ? <span>given up by {d.discarded.by}: {d.discarded.reason}</span> : d.error && d.state !== 'delivered' ? <span class="clamp" title={d.error}>{d.error}</span> : null) },
  ];
  return (
    <Page title="Deliveries" actions={<a class="button" href="/studio/dead-letters">Dead letters</a>}>
      <Sinks />
      <Filters filters={choices} values={filters} set={set} />
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      {list.items.length > 0 && <Table label="Deliveries" columns={columns} rows={list.items} id={idOf} more={list.more} />}
      {list.loading && list.items.length === 0 && <p class="soft" role="status">Looking for deliveries …</p>}
      {list.ended && list.items.length === 0 && (filtered
        ? <Empty title="No delivery fits these filters"><button type="button" class="button" onClick={() => set(Object.fromEntries(names.map((n) => [n, ''])))}>Take the filters away</button></Empty>
        : <Empty title="Nothing was told to anybody yet" command={'sinks:\n  shop: { kind: webhook, url: "https://shop.example/hooks/images", secret: "${SHOP_SECRET}" }'}><p>A binding tells its sinks of each image that changes. <a href="/studio/sinks">Make a sink</a>, or write it into the configuration:</p></Empty>)}
    </Page>
  );
}
