// How an experiment is set, to be read.

import { useState } from 'preact/hooks';

import { path, request } from '../../api/client.ts';
import { doorOf, type Experiment } from '../../api/experiments.ts';
import { Act } from '../../ui/act.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { When } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';

const goals = { click_through: 'a click on the image', conversion: 'a conversion that is reported', impressions_only: 'nothing is compared' };

export function Settings({ of: e }: { of: Experiment }) {
  const bandit = e.banditConfig?.enabled ? e.banditConfig : undefined;
  return (
    <details>
      <summary>How it is set</summary>
      <dl class="facts">
        <dt>Goal</dt><dd>{goals[e.goalConfig.type]}</dd>
        {e.goalConfig.destinationUrl && <><dt>A click leads to</dt><dd>{e.goalConfig.destinationUrl}</dd></>}
        {e.type === 'ab_test' && (
          <>
            <dt>Takes part</dt><dd>{(e.coverage || 10_000) / 100} % of people; the others get the control</dd>
            <dt>Not decided before</dt><dd>{counted(e.minimumRunDays ?? 0, 'day')}, {count(e.minimumSampleSize ?? 0)} people in each variant</dd>
            <dt>Confidence</dt><dd>{(e.confidenceThreshold || 0.95) * 100} %, at whatever time one looks</dd>
            {e.plannedSampleSize ? <><dt>Ends without a winner at</dt><dd>{count(e.plannedSampleSize)} people in each variant</dd></> : null}
            <dt>The winner</dt><dd>{e.rollout === 'automatic' ? 'takes all by itself, after a day as the winner' : 'takes all when somebody completes it'}</dd>
            <dt>Bandit</dt><dd>{bandit ? `weights move every ${counted(bandit.recomputeIntervalMinutes ?? 15, 'minute')}, after ${count(bandit.warmupImpressions ?? 0)} people in each variant, and none falls below ${(bandit.floor ?? 0) * 100} %` : 'no, the weights stay'}</dd>
          </>
        )}
        <dt>Image</dt><dd>{e.outputConfig?.format || 'png'}{e.outputConfig?.quality ? `, quality ${e.outputConfig.quality}` : ''}{e.rows ? '; its variables come from rows' : ''}</dd>
        {e.fallbackImageUrl && <><dt>Fallback</dt><dd>{e.fallbackImageUrl}</dd></>}
        <dt>Made</dt><dd><When time={e.createdAt} />{e.author && ` by ${e.author}`}, {e.readOnly ? 'in pictifyd.yaml' : 'over the API'}; changed <When time={e.updatedAt} /></dd>
        <dt>Id</dt><dd><code>{e.id}</code> <span class="soft small">also what people are split by</span></dd>
      </dl>
      {e.startedAt && <Forget of={e} />}
    </details>
  );
}

/** Forget erases who a person is; what they did stays counted. */
function Forget({ of: e }: { of: Experiment }) {
  const [unit, setUnit] = useState('');
  return (
    <div class="forget">
      <Field label="Forget a person" help="Their unit goes from assignments and events. What they did stays counted, as nobody’s."><Input value={unit} change={setUnit} placeholder="customer-1" /></Field>
      <Act kind="danger" disabled={unit === ''} act={() => request(doorOf(e) + path`/units/${unit}`, { method: 'DELETE' })} done={`${unit} is forgotten`} then={() => setUnit('')}
        confirm={{ title: `Forget ${unit}?`, question: <p>Nobody can tell any more which variant this person got: the next fetch may show another one, and counts as somebody new. This can’t be taken back.</p> }}>
        Forget
      </Act>
    </div>
  );
}
