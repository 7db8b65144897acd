// The variants beside each other: what came of each, and how sure that is.

import { path } from '../../api/client.ts';
import { controlOf, type Experiment, nameOf, type VariantState } from '../../api/experiments.ts';
import { Key } from '../../ui/plot/frame.tsx';
import { spanOf } from '../../ui/plot/scale.ts';
import { Whisker } from '../../ui/plot/whisker.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count } from '../../ui/words.ts';
import { goalWord, ordered } from './order.ts';
import { VariantPicture } from './picture.tsx';
import { chanceWords, conditionWords, liftWords, rangeOf, rateWords, scheduleWords, weightWords } from './words.ts';

/** Rate is a share with the range in which it truly is, with 95 %. */
function Rate({ of: v }: { of: VariantState }) {
  const s = v.stats;
  if (s.exposures === 0) return <span class="soft">–</span>;
  return <><strong>{rateWords(s.rate)}</strong>{s.ci95 && <div class="small soft">{rateWords(s.ci95[0])} to {rateWords(s.ci95[1])}</div>}</>;
}

function Lift({ of: v, at, span }: { of: VariantState; at: number; span: [number, number] }) {
  const s = v.stats;
  if (v.isDefault) return <span class="soft small">the measure</span>;
  if (s.lift === null) return <span class="soft">–</span>;
  const range = s.liftInterval && rangeOf(s.liftInterval);
  const words = `${liftWords(s.lift)}${range ? `, from ${liftWords(range[0])} to ${liftWords(range[1])}` : ''}`;
  return (
    <div class="lift">
      <strong>{liftWords(s.lift)}</strong>
      {range && <><Whisker of={at} value={s.lift} low={range[0]} high={range[1]} span={span} words={words} /><div class="small soft">{liftWords(range[0])} to {liftWords(range[1])}</div></>}
    </div>
  );
}

const widest = 4; // of what is drawn: early ranges are as wide as one likes

const points = (loss: number | null | undefined) => (loss === null || loss === undefined ? '–' : `${(loss * 100).toFixed(loss < 0.01 ? 3 : 1)} points`);

/** when is when a variant is shown, of a type that compares nothing. */
const when = (e: Experiment, v: VariantState): string => (v.isDefault ? 'when no other is' : e.type === 'smart_link' ? conditionWords(v.conditions) : scheduleWords(v.schedule));

function columnsOf(e: Experiment): Column<VariantState>[] {
  const order = ordered(e);
  const at = (v: VariantState) => order.findIndex((o) => o.id === v.id);
  const compared = e.type === 'ab_test' && e.goalConfig.type !== 'impressions_only';
  const lifts = e.variants.flatMap((v) => [v.stats.lift ?? 0, ...(v.stats.liftInterval ? rangeOf(v.stats.liftInterval) : [])]).map((n) => Math.min(widest, n));
  const span = spanOf([-0.02, 0.02, ...lifts]);
  return [
    { name: 'Picture', cell: (v) => <VariantPicture of={v} rows={e.rows} /> },
    { name: 'Variant', cell: (v) => (
      <div class="variant-name">
        <span class="row"><Key of={at(v)} /><strong>{nameOf(v)}</strong></span>
        <span class="row">{v.id === controlOf(e)?.id && <span class="chip">control</span>}{e.winner === v.id && <span class="chip" data-level="ok">winner</span>}</span>
        <span class="small soft"><a href={`/studio${path`/templates/${v.templateUid}`}`}>{v.templateUid}</a>{v.size && `, ${v.size}`}{v.theme && `, ${v.theme}`}</span>
      </div>
    ) },
    e.type === 'ab_test' ? { name: 'Weight now', cell: (v) => weightWords(v.currentWeight), number: true } : { name: 'Shown', cell: (v) => <span class="wrap">{when(e, v)}</span> },
    { name: 'People', cell: (v) => count(v.stats.exposures), number: true },
    { name: goalWord(e), cell: (v) => count(v.stats.conversions), number: true },
    ...(e.goalConfig.type === 'impressions_only' ? [] : [{ name: 'Rate', cell: (v: VariantState) => <Rate of={v} />, number: true }]),
    ...(compared ? [
      { name: 'Against the control', cell: (v: VariantState) => <Lift of={v} at={at(v)} span={span} /> },
      { name: 'Chance to be best', cell: (v: VariantState) => chanceWords(v.stats.probabilityBest), number: true },
      { name: 'Loss if wrong', cell: (v: VariantState) => <span title="How much of the rate is lost, on average, if this one is chosen and another is better">{points(v.stats.expectedLoss)}</span>, number: true },
    ] : []),
  ];
}

export function Variants({ of: e }: { of: Experiment }) {
  const compared = e.type === 'ab_test' && e.goalConfig.type !== 'impressions_only';
  return (
    <section class="stack part whole" aria-labelledby="variants">
      <h2 id="variants">Variants</h2>
      <Table label="Variants" columns={columnsOf(e)} rows={ordered(e)} id={(v) => v.id} />
      {compared && <p class="soft small">The range beside a rate is where it truly is, with {(e.confidenceThreshold || 0.95) * 100} %. The range against the control holds however often you look at it; where it crosses the dotted line, there may be no difference. The chance to be best is today’s guess, and no verdict.</p>}
    </section>
  );
}
