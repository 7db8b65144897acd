// The plots of a report: rates with their bands, new people, chances, weights.

import type { Allocation, Day, Experiment } from '../../api/experiments.ts';
import { nameOf } from '../../api/experiments.ts';
import { type Line, Lines } from '../../ui/plot/lines.tsx';
import { Stack } from '../../ui/plot/stack.tsx';
import { count } from '../../ui/words.ts';
import { goalWord, ordered } from './order.ts';
import { chanceWords, rateWords, weightWords } from './words.ts';

const whyWords: Record<string, string> = { start: 'as they were set', bandit: 'moved by the bandit', rollout: 'rolled out', winner: 'the winner takes all', edit: 'changed' };

/** linesOf are the series of days, one line for each variant; pick is null where a day has nothing to show. */
function linesOf(e: Experiment, days: number[], series: Day[], pick: (d: Day) => Line['points'][number]): Line[] {
  return ordered(e).map((v) => {
    const mine = new Map(series.filter((d) => d.variant === v.id).map((d) => [Date.parse(d.day), d]));
    return { name: nameOf(v), points: days.map((t) => {
      const d = mine.get(t);
      return d ? pick(d) : null;
    }) };
  });
}

export function Plots({ of: e, series, allocations }: { of: Experiment; series: Day[]; allocations: Allocation[] }) {
  const days = [...new Set(series.map((d) => Date.parse(d.day)))].sort((a, b) => a - b);
  const order = ordered(e);
  const index = order.map((v) => e.variants.findIndex((o) => o.id === v.id));
  const compared = e.type === 'ab_test' && e.goalConfig.type !== 'impressions_only';
  if (days.length === 0) return <section aria-label="Plots"><p class="soft">The plots begin with the first visitor.</p></section>;
  const until = e.endedAt ? Date.parse(e.endedAt) : Date.now();
  const moves = allocations.filter((a) => a.weights.length === e.variants.length);
  return (
    <section aria-label="Plots" class="plots">
      {compared && (
        <Lines title={`Rate of ${goalWord(e).toLowerCase()}`} about={`Of all people up to that day. The band is where the rate truly is, with ${(e.confidenceThreshold || 0.95) * 100} % by the numbers of that day.`} times={days} daily zero={false} least={0} most={1}
          lines={linesOf(e, days, series, (d) => (d.rate === null ? null : { value: d.rate, low: d.low ?? undefined, high: d.high ?? undefined }))}
          format={rateWords} say={(p) => `${rateWords(p.value)}${p.low !== undefined && p.high !== undefined ? ` (${rateWords(p.low)} to ${rateWords(p.high)})` : ''}`} />
      )}
      {compared && (
        <Lines title="Chance to be best" about="By the numbers of that day. It swings, and is no verdict." times={days} daily zero least={0} most={1}
          lines={linesOf(e, days, series, (d) => (d.probabilityBest === null ? null : { value: d.probabilityBest }))} format={(v) => `${Math.round(v * 100)} %`} say={(p) => chanceWords(p.value)} />
      )}
      <Lines title="New people a day" about="Who saw it for the first time on that day." times={days} daily zero least={0}
        lines={linesOf(e, days, series, (d) => ({ value: d.newExposures }))} format={(v) => count(Math.round(v))} />
      {compared && moves.length > 0 && (
        <Stack title="Weights of new people" about="Whoever has a variant keeps it." times={moves.map((a) => Date.parse(a.at))} until={until} names={order.map(nameOf)}
          shares={moves.map((a) => index.map((i) => (a.weights[i] ?? 0) / 10_000))} format={(share) => weightWords(Math.round(share * 10_000))} note={(at) => (moves[at] ? `, ${whyWords[moves[at].why] ?? moves[at].why}` : '')} />
      )}
    </section>
  );
}
