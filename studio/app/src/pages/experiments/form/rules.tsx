// By which rules an experiment is decided, and how its images come.

import type { Experiment } from '../../../api/experiments.ts';
import { Field, Input, Select, Tick } from '../../../ui/field.tsx';
import type { Draft } from './draft.ts';

const formats = ['png', 'jpeg', 'webp'];

interface Props {
  of: Draft;
  change: (c: Partial<Draft>) => void;
  wrong: (field: string) => string | undefined;
  frozen: Experiment | undefined;
}

export function Rules(props: Props) {
  const { of: d, change, wrong, frozen } = props;
  return (
    <>
      {d.type === 'ab_test' && <Deciding {...props} />}
      <details class="card">
        <summary>Images</summary>
        <fieldset class="plain stack" disabled={frozen !== undefined}>
          {d.type === 'ab_test' && <Tick label="Its variables come from the rows of a batch or a binding" checked={d.rows} change={(rows) => change({ rows })} />}
          <div class="outputs">
            <Field label="Format" wrong={wrong('outputConfig.format')}><Select value={d.format} change={(format) => change({ format })} choices={formats} /></Field>
            {d.format !== 'png' && <Field label="Quality" help="1 to 100; empty: as renders have it" wrong={wrong('outputConfig.quality')}><Input inputMode="numeric" value={d.quality} change={(quality) => change({ quality })} placeholder="85" /></Field>}
            <Field label="Fallback image" help="Shown where a variant’s picture fails; without it the control’s is." wrong={wrong('fallbackImageUrl')}><Input type="url" value={d.fallbackImageUrl} change={(fallbackImageUrl) => change({ fallbackImageUrl })} placeholder="https://shop.example/banner.png" /></Field>
          </div>
        </fieldset>
      </details>
    </>
  );
}

function Deciding({ of: d, change, wrong, frozen }: Props) {
  const least = frozen ? (frozen.coverage || 10_000) / 100 : 1;
  return (
    <details class="card" open={frozen !== undefined}>
      <summary>How it is decided</summary>
      <div class="stack">
        <div class="outputs">
          <Field label="Days at least" help="A week has all of its days. Empty: 7" wrong={wrong('minimumRunDays')}><Input inputMode="decimal" value={d.minimumRunDays} change={(minimumRunDays) => change({ minimumRunDays })} placeholder="7" /></Field>
          <Field label="People in each variant, at least" help="Empty: 1,000" wrong={wrong('minimumSampleSize')}><Input inputMode="numeric" disabled={frozen !== undefined} value={d.minimumSampleSize} change={(minimumSampleSize) => change({ minimumSampleSize })} placeholder="1000" /></Field>
          <Field label="Confidence, %" help="Holds however often one looks. Empty: 95" wrong={wrong('confidenceThreshold')}><Input inputMode="decimal" value={d.confidence} change={(confidence) => change({ confidence })} placeholder="95" /></Field>
          <Field label="Ends without a winner at" help="People in each variant. Empty: it goes on" wrong={wrong('plannedSampleSize')}><Input inputMode="numeric" disabled={frozen !== undefined} value={d.plannedSampleSize} change={(plannedSampleSize) => change({ plannedSampleSize })} placeholder="20000" /></Field>
          <Field label={`Takes part: ${d.coverage / 100} %`} help={frozen ? 'It can only rise; nobody’s variant changes.' : 'The others get the control, and are not counted. It can rise later.'} wrong={wrong('coverage')}>
            <input type="range" class="slide" min={least} max="100" step="1" value={d.coverage / 100} onInput={(e) => change({ coverage: Number(e.currentTarget.value) * 100 })} />
          </Field>
        </div>
        <fieldset class="plain stack" disabled={frozen !== undefined}>
          <Field label="When there is a winner"><Select value={d.rollout} change={(rollout) => change({ rollout: rollout as Draft['rollout'] })} choices={[{ value: 'manual', label: 'Somebody completes it' }, { value: 'automatic', label: 'It takes all by itself, after a day as the winner' }]} /></Field>
          <Tick label="Move weights to what does better while it runs (a bandit)" checked={d.bandit} change={(bandit) => change({ bandit })} />
          {d.bandit && (
            <>
              <p class="soft small">Good for five variants and more, or for a short sale. With two variants a plain A/B test says more, and its rates can be compared.</p>
              <div class="outputs">
                <Field label="People before weights move" help="In each variant. Empty: 100" wrong={wrong('banditConfig.warmupImpressions')}><Input inputMode="numeric" value={d.warmup} change={(warmup) => change({ warmup })} placeholder="100" /></Field>
                <Field label="Moves every, in minutes" help="Empty: 15" wrong={wrong('banditConfig.recomputeIntervalMinutes')}><Input inputMode="numeric" value={d.interval} change={(interval) => change({ interval })} placeholder="15" /></Field>
                <Field label="No variant below, %" help="Empty: 1" wrong={wrong('banditConfig.floor')}><Input inputMode="decimal" value={d.floor} change={(floor) => change({ floor })} placeholder="1" /></Field>
              </div>
            </>
          )}
        </fieldset>
      </div>
    </details>
  );
}
