// One experiment: what may be said today, what came of each variant, and how it
// is shown to people.

import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';

import { Failure } from '../../api/client.ts';
import { doorOf, type Experiment, type Results } from '../../api/experiments.ts';
import { changes, paused } from '../../api/live.ts';
import { Page } from '../../shell/shell.tsx';
import { useLoad } from '../../ui/load.ts';
import { Copy, Mark, Trouble, When } from '../../ui/show.tsx';
import { Actions } from './actions.tsx';
import { Embed } from './embed.tsx';
import { Health, Segments } from './health.tsx';
import { Plots } from './plots.tsx';
import { Settings } from './settings.tsx';
import { statusLevels, statusWords, typeWords } from './words.ts';
import { Variants } from './variants.tsx';
import { VerdictCard } from './verdict.tsx';
import './experiments.css';

const pace = 10_000; // ms between readings of what runs

// usePulse counts up while somebody looks and nothing holds the page still.
function usePulse(): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && !paused.value && setBeat((n) => n + 1), pace);
    return () => clearInterval(timer);
  }, []);
  return beat;
}

export function ExperimentReport({ id }: { id: string }) {
  const { route } = useLocation();
  const beat = usePulse();
  const { data, error, again } = useLoad<Results>(`${doorOf({ id })}/results`, [changes.value, beat]);
  const e = data?.experiment;
  const over = <a href="/studio/experiments">Experiments</a>;
  if (!e) {
    return (
      <Page title="Experiment" over={over}>
        {error === undefined ? <p class="soft" role="status">Looking it up …</p> : <Trouble error={error} again={error instanceof Failure && error.status === 404 ? undefined : again} />}
      </Page>
    );
  }
  return (
    <Page title={e.name} over={<>{over} · {typeWords[e.type]} · <code>{e.slug}</code></>} actions={<Actions of={e} moved={again} gone={() => route('/studio/experiments')} />}>
      <Standing of={e} />
      {error !== undefined && <Trouble error={error} again={again} />}
      <VerdictCard of={e} segments={data.segments} />
      <Variants of={e} />
      {e.status !== 'draft' && <Plots of={e} series={data.series} allocations={data.allocations} />}
      <div class="pair">
        {e.status !== 'draft' && <Health of={e} segments={data.segments} />}
        <Embed of={e} />
      </div>
      {e.status !== 'draft' && <Segments of={e} segments={data.segments} />}
      <Settings of={e} />
    </Page>
  );
}

function Standing({ of: e }: { of: Experiment }) {
  return (
    <p class="row experiment-standing">
      <Mark level={statusLevels[e.status]}>{statusWords[e.status]}</Mark>
      {e.startedAt ? <span class="soft">started <When time={e.startedAt} /></span> : <span class="soft">made <When time={e.createdAt} /></span>}
      {e.endedAt && <span class="soft">ended <When time={e.endedAt} /></span>}
      {e.retired && <span class="chip">out of the list</span>}
      <span class="address"><code class="wrap">{e.urls.unitImage}</code><Copy text={e.urls.unitImage}>Copy the address</Copy></span>
      {e.startedAt && <a class="button" href={`${doorOf(e)}/export.csv`} download>Export CSV</a>}
    </p>
  );
}
