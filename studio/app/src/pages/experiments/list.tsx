// All experiments: how each stands.

import { path } from '../../api/client.ts';
import { addressOf, type Experiment, nameOf, statuses, types } from '../../api/experiments.ts';
import { changes, overview } from '../../api/live.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Mark, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count } from '../../ui/words.ts';
import { Filters, type Filter } from '../filterbar.tsx';
import { leaderOf, rateWords, statusLevels, statusWords, typeWords, verdictOf } from './words.ts';
import './experiments.css';

const filters: Filter[] = [
  { name: 'q', label: 'Find', placeholder: 'name, slug or template' },
  { name: 'status', label: 'Status', any: 'Any status', choices: statuses.map((value) => ({ value, label: statusWords[value] })) },
  { name: 'type', label: 'Type', any: 'Any type', choices: types.map((value) => ({ value, label: typeWords[value] })) },
];
const none = Object.fromEntries(filters.map((f) => [f.name, '']));

// meets says whether an experiment is among those that the filters ask for.
function meets(e: Experiment, f: Record<string, string>): boolean {
  const words = `${e.name} ${e.slug} ${e.variants.map((v) => v.templateUid).join(' ')}`.toLowerCase();
  return (!f.status || e.status === f.status) && (!f.type || e.type === f.type) && words.includes((f.q ?? '').toLowerCase());
}

const units = (e: Experiment) => e.variants.reduce((sum, v) => sum + v.stats.exposures, 0);

const columns: Column<Experiment>[] = [
  { name: 'Experiment', cell: (e) => <><a href={addressOf(e)}><strong>{e.name}</strong></a><div class="small soft mono">{e.slug}</div></> },
  { name: 'Status', cell: (e) => <Mark level={statusLevels[e.status]}>{statusWords[e.status]}</Mark> },
  { name: 'Type', cell: (e) => <span class="still">{typeWords[e.type]}</span> },
  { name: 'Variants', cell: (e) => e.variants.map((v, i) => <span key={v.id}>{i > 0 && ', '}<a href={`/studio${path`/templates/${v.templateUid}`}`} title={v.templateUid}>{nameOf(v)}</a></span>) },
  { name: 'People', cell: (e) => <a href={addressOf(e)}>{count(units(e))}</a>, number: true },
  { name: 'Best rate', cell: (e) => <Best of={e} />, number: true },
  { name: 'Verdict', cell: (e) => <div class="why"><Verdict of={e} /></div> },
  { name: 'Started', cell: (e) => <span class="still">{e.startedAt ? <When time={e.startedAt} /> : <span class="soft">not yet</span>}</span> },
];

function Best({ of: e }: { of: Experiment }) {
  const leader = e.type === 'ab_test' ? leaderOf(e) : undefined;
  return leader ? <><a href={addressOf(e)}>{rateWords(leader.stats.rate)}</a><div class="small soft">{nameOf(leader)}</div></> : <span class="soft">–</span>;
}

function Verdict({ of: e }: { of: Experiment }) {
  const said = verdictOf(e);
  return <><Mark level={said.level}>{said.word}</Mark><span class="small soft">{said.sentence}</span></>;
}

export function Experiments() {
  const [asked, set] = useFilters();
  const { data, error, again } = useLoad<{ experiments: Experiment[] }>('/experiments', [changes.value]);
  const all = data?.experiments;
  const rows = (all ?? []).filter((e) => meets(e, asked));
  return (
    <Page title="Experiments" actions={<a class="button strong" href="/studio/experiments/new">New experiment</a>}>
      {all && all.length > 0 && <Filters filters={filters} values={asked} set={set} />}
      {error !== undefined && !data && <Trouble error={error} again={again} />}
      {!all && error === undefined && <p class="soft" role="status">Looking for experiments …</p>}
      {all?.length === 0 && <NoExperiment />}
      {all && all.length > 0 && rows.length === 0 && <Empty title={`None of ${count(all.length)} experiments meets these filters`}><button type="button" class="button" onClick={() => set(none)}>Show all</button></Empty>}
      {rows.length > 0 && <Table label="Experiments" columns={columns} rows={rows} id={(e) => e.id} />}
    </Page>
  );
}

function NoExperiment() {
  const body = `{"name": "Plain or bold", "slug": "plain-or-bold", "type": "ab_test",
  "goalConfig": {"type": "click_through", "destinationUrl": "https://shop.example/sale"},
  "variants": [{"id": "plain", "templateUid": "NAME", "weight": 5000, "isDefault": true},
               {"id": "bold", "templateUid": "NAME", "theme": "dark", "weight": 5000}]}`;
  return (
    <Empty title="No experiment yet" command={`curl ${location.origin}/experiments --json '${body}'${overview.value?.keys ? ' \\\n  --oauth2-bearer "$PICTIFYD_KEY"' : ''}`}>
      <p>An experiment shows each person one of several images at one address, counts who sees which and who acts, and says when one is truly better. <a href="/studio/experiments/new">Make one here</a>, or send it:</p>
    </Empty>
  );
}
