// Whether the numbers can be trusted: the split, the counters that are kept apart,
// what does not count and why.

import type { Experiment, Segment } from '../../api/experiments.ts';
import { nameOf } from '../../api/experiments.ts';
import { Mark, Note } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count, counted } from '../../ui/words.ts';
import { goalWord, ordered } from './order.ts';
import { rateWords } from './words.ts';

const clients: Record<string, string> = { gmail: 'Gmail', apple: 'Apple Mail', yahoo: 'Yahoo Mail', other: 'Browsers and others', bot: 'Machines', prefetch: 'Fetched ahead', planned: 'Sent to' };
export const clientWord = (client: string): string => clients[client] ?? (client || 'Unknown');
export const channelWord = (channel: string): string => ({ web: 'Web', email: 'Mail' })[channel] ?? channel;

interface Counter {
  channel: string;
  client: string;
  fetches: number;
  exposures: number;
  suspects: number;
}

/** countersOf sums segments up by channel and client, those with most first. */
export function countersOf(segments: Segment[]): Counter[] {
  const sums = new Map<string, Counter>();
  for (const s of segments) {
    const key = `${s.channel}/${s.client}`;
    const had = sums.get(key) ?? { channel: s.channel, client: s.client, fetches: 0, exposures: 0, suspects: 0 };
    sums.set(key, { ...had, fetches: had.fetches + s.fetches, exposures: had.exposures + s.exposures, suspects: had.suspects + s.suspects });
  }
  return [...sums.values()].sort((a, b) => b.fetches - a.fetches || b.exposures - a.exposures);
}

const columns: Column<Counter>[] = [
  { name: 'Client', cell: (c) => `${clientWord(c.client)}, ${channelWord(c.channel).toLowerCase()}` },
  { name: 'Fetches', cell: (c) => count(c.fetches), number: true },
  { name: 'People', cell: (c) => count(c.exposures), number: true },
  { name: 'Suspect', cell: (c) => count(c.suspects), number: true },
];

const chance = (p: number) => (p < 0.0001 ? 'under 0.01 %' : rateWords(p));

/** Split says whether people are spread as the weights have it. */
function Split({ of: e }: { of: Experiment }) {
  const seen = ordered(e).map((v) => `${nameOf(v)} ${count(v.stats.exposures)}`).join(', ');
  const expected = ordered(e).map((v) => `${nameOf(v)} ${count(Math.round(e.srm.expected[e.variants.findIndex((o) => o.id === v.id)] ?? 0))}`).join(', ');
  if (e.srm.p === null || e.srm.expected.length === 0) return <p><Mark level="quiet">Too early to tell whether the split is as planned</Mark></p>;
  if (e.srm.ok) return <p><Mark level="ok">People are split as planned</Mark> <span class="soft small">{seen}; planned {expected}</span></p>;
  return (
    <Note level="error">
      <p><strong>People are not split as planned.</strong> There are {seen}; by the weights it should be {expected}. Such a split comes by chance in {chance(e.srm.p)} of all tests, so something is wrong, and no winner is named.</p>
      <p class="soft">Look for what reaches one variant only: a cache or a CDN before these addresses, a page that picks the variant itself, a picture that fails, bots that click. Mend it, then begin a new experiment: these numbers can’t be saved.</p>
    </Note>
  );
}

export function Health({ of: e, segments }: { of: Experiment; segments: Segment[] }) {
  const failing = e.variants.filter((v) => v.stats.failures > 0);
  const x = e.excluded;
  const rows = countersOf(segments);
  return (
    <section class="card stack part" aria-labelledby="health">
      <h2 id="health">Health</h2>
      {e.type === 'ab_test' && <Split of={e} />}
      {failing.map((v) => (
        <Note key={v.id} level="error">
          <p><strong>The picture of {nameOf(v)} failed {counted(v.stats.failures, 'time')}.</strong> Its people saw the fallback instead, and still count as {nameOf(v)}’s, so that the split stays true.</p>
          <p class="soft">Look at <a href={`/studio/templates/${encodeURIComponent(v.templateUid)}`}>the template</a>; the next fetch tries again.</p>
        </Note>
      ))}
      {rows.length > 0 ? <Table label="Counters by client" columns={columns} rows={rows} id={(c) => `${c.channel}/${c.client}`} /> : <p class="soft">Nobody has fetched it yet.</p>}
      <dl class="facts">
        <dt>Machines</dt><dd>{count(x.bots)} <span class="soft small">get the control, and count for nobody</span></dd>
        <dt>Fetched ahead</dt><dd>{count(x.prefetch)} <span class="soft small">by browsers, before anybody looked</span></dd>
        <dt>Seen again</dt><dd>{count(x.repeats)} <span class="soft small">by people who were counted before</span></dd>
        {x.duplicates > 0 && <><dt>Sent twice</dt><dd>{count(x.duplicates)} <span class="soft small">{x.duplicates === 1 ? 'event, which counts' : 'events, which count'} once</span></dd></>}
        {x.unassigned > 0 && <><dt>Of strangers</dt><dd>{count(x.unassigned)} <span class="soft small">{x.unassigned === 1 ? 'event' : 'events'} of people who never got the image</span></dd></>}
        {x.mismatches > 0 && <><dt>Other variant</dt><dd>{count(x.mismatches)} <span class="soft small">{x.mismatches === 1 ? 'event named' : 'events named'} another variant than the person’s, and count for the true one</span></dd></>}
      </dl>
      <p class="soft small">A fetch is no view: mail programs fetch what nobody opens. Only people (units, each once) are compared; in mails everybody counts who was sent it.</p>
    </section>
  );
}

const segmentColumns = (e: Experiment): Column<Segment>[] => [
  { name: 'Channel', cell: (s) => channelWord(s.channel) },
  { name: 'Client', cell: (s) => clientWord(s.client) },
  { name: 'Variant', cell: (s) => nameOf(e.variants.find((v) => v.id === s.variant) ?? { id: s.variant || '–' }) },
  { name: 'People', cell: (s) => count(s.exposures), number: true },
  { name: goalWord(e), cell: (s) => count(e.goalConfig.type === 'click_through' ? s.clicks : s.conversions), number: true },
  { name: 'Rate', cell: (s) => (s.exposures > 0 ? rateWords((e.goalConfig.type === 'click_through' ? s.clicks : s.conversions) / s.exposures) : '–'), number: true },
];

/** Segments are parts of the people, to look at. */
export function Segments({ of: e, segments }: { of: Experiment; segments: Segment[] }) {
  const rows = segments.filter((s) => s.exposures > 0);
  if (rows.length === 0) return null;
  return (
    <section class="card stack part" aria-labelledby="segments">
      <h2 id="segments">Segments</h2>
      <p class="soft small">To look at only. Among many small groups one always looks like a winner: no verdict is made of them.</p>
      <Table label="Segments" columns={segmentColumns(e)} rows={rows} id={(s) => `${s.channel}/${s.client}/${s.variant}`} />
    </section>
  );
}
