// How an experiment is set, to be read.

import type { Experiment } from '../../api/experiments.ts';
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
    </details>
  );
}
