// Experiments in words that need no statistics to be understood.

import type { Condition, Experiment, Schedule, Status, Type, VariantState, Verdict } from '../../api/experiments.ts';
import { controlOf, nameOf } from '../../api/experiments.ts';
import type { Level } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';

export const typeWords: Record<Type, string> = { ab_test: 'A/B test', smart_link: 'Smart link', scheduled: 'Scheduled' };
export const typeAbout: Record<Type, string> = {
  ab_test: 'Each person gets one variant, by weights, and keeps it. It says which one does better.',
  smart_link: 'Shows the first variant whose conditions hold: by device, country, time or what you know. Nothing is compared.',
  scheduled: 'Shows the first variant whose time it is. Nothing is compared.',
};

export const statusWords: Record<Status, string> = { draft: 'Draft', running: 'Running', paused: 'Paused', completed: 'Completed' };
export const statusLevels: Record<Status, Level> = { draft: 'quiet', running: 'busy', paused: 'paused', completed: 'ok' };

export const verdictWords: Record<Verdict, string> = {
  running: 'Undecided', no_clear_winner: 'No clear winner', unhealthy: 'Not to be trusted', low_traffic: 'Too few visitors', winner_ready: 'Winner', low_trust: 'Low trust', completed: 'Decided',
};
export const verdictLevels: Record<Verdict, Level> = {
  running: 'busy', no_clear_winner: 'quiet', unhealthy: 'error', low_traffic: 'warn', winner_ready: 'ok', low_trust: 'warn', completed: 'ok',
};

/** enough is how many conversions each compared variant must have before anything is said. */
export const enough = 40;

const minus = (text: string) => text.replace('-', '−');
const hundredth = '\u00a0%'; // which stays with its number

/** rateWords is a share as a percentage, exact enough to see it move. */
export function rateWords(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '–';
  const percent = rate * 100;
  const digits = percent === 0 ? 0 : Math.abs(percent) < 10 ? 2 : Math.abs(percent) < 100 ? 1 : 0;
  return minus(percent.toFixed(digits)) + hundredth;
}

/** liftWords is a relative difference with its sign: "+30 %". */
export function liftWords(lift: number | null | undefined): string {
  if (lift === null || lift === undefined) return '–';
  const percent = lift * 100;
  const text = percent.toFixed(Math.abs(percent) < 10 ? 1 : 0);
  return `${percent > 0 ? '+' : ''}${minus(text)}${hundredth}`;
}

/** rangeOf is the range of a relative difference: nothing falls by more than all of it. */
export const rangeOf = (range: [number, number]): [number, number] => [Math.max(-1, range[0]), range[1]];

/** chanceWords is a probability; what rounds to certain is not said to be. */
export function chanceWords(p: number | null | undefined): string {
  if (p === null || p === undefined) return '–';
  if (p > 0.999 && p < 1) return `over 99.9${hundredth}`;
  if (p < 0.001 && p > 0) return `under 0.1${hundredth}`;
  return (p * 100).toFixed(p > 0.99 || p < 0.01 ? 1 : 0) + hundredth;
}

/** weightWords is a weight in basis points as a percentage. */
export const weightWords = (weight: number): string => Number((weight / 100).toFixed(2)) + hundredth;

/** leaderOf is the variant that does best by today's numbers; undefined before there are any. */
export function leaderOf(e: Experiment): VariantState | undefined {
  const named = e.variants.find((v) => v.id === e.decision.suggestedWinner);
  if (named) return named;
  const seen = e.variants.filter((v) => v.stats.exposures > 0 && v.stats.conversions > 0);
  return seen.sort((a, b) => (b.stats.probabilityBest ?? 0) - (a.stats.probabilityBest ?? 0) || (b.stats.rate ?? 0) - (a.stats.rate ?? 0))[0];
}

/** rivalOf is what the leader is compared with: the control, or the best of the others where it is the control itself. */
export function rivalOf(e: Experiment, leader: VariantState): VariantState | undefined {
  const control = controlOf(e);
  if (control && control.id !== leader.id) return control;
  return e.variants.filter((v) => v.id !== leader.id).sort((a, b) => (b.stats.rate ?? 0) - (a.stats.rate ?? 0))[0];
}

/** differs says whether the range of a leader's difference leaves no room for none. */
export function differs(e: Experiment, leader: VariantState): boolean {
  const compared = leader.id === controlOf(e)?.id ? rivalOf(e, leader) : leader; // the control's own difference is none
  const range = compared?.stats.liftInterval;
  return range !== null && range !== undefined && (range[0] > 0 || range[1] < 0);
}

export interface Gate {
  name: string;
  met: boolean;
  have: string; // "312 of 1,000"
  share: number; // 0 to 1
  bad?: boolean; // it is not merely not reached yet
}

/** gatesOf is what must hold before there is a winner, and how far each is. */
export function gatesOf(e: Experiment): Gate[] {
  const far = (name: string, have: number, want: number, words: (n: number) => string): Gate => ({ name, met: have >= want, have: `${words(have)} of ${words(want)}`, share: want > 0 ? Math.min(1, have / want) : 1 });
  const leader = leaderOf(e);
  const rival = leader && e.variants.filter((v) => v.id !== leader.id).sort((a, b) => (b.stats.probabilityBest ?? 0) - (a.stats.probabilityBest ?? 0))[0];
  const compared = e.variants.filter((v) => !leader || v.id === leader.id || v.id === rival?.id || v.id === controlOf(e)?.id);
  const srm = e.srm.ok;
  const gates = [
    far('Days', e.ranDays, e.minimumRunDays ?? 0, (n) => String(Math.floor(n * 10) / 10)),
    far(e.variants.length > 2 ? 'People in the smallest variant' : 'People in each variant', Math.min(...e.variants.map((v) => v.stats.exposures)), e.minimumSampleSize ?? 0, count),
    far('Conversions in each variant', Math.min(...compared.map((v) => v.stats.conversions)), enough, count),
    { name: 'Split as it was planned', met: srm, have: srm ? 'yes' : 'no', share: srm ? 1 : 0, bad: !srm },
  ];
  // The daemon also looks at the runner-up: where all else is met, its word is the last one.
  const sure = e.decision.ready || (leader !== undefined && differs(e, leader) && gates.some((g) => !g.met));
  return [
    ...gates,
    { name: 'A difference that chance does not explain', met: sure, have: sure ? 'yes' : 'not yet', share: sure ? 1 : 0 },
  ];
}

/** looksWon says whether a person who looks at today's chances would call it, too early. */
export function looksWon(e: Experiment): VariantState | undefined {
  if (e.type !== 'ab_test' || (e.status !== 'running' && e.status !== 'paused') || e.decision.ready || e.decision.verdict === 'unhealthy' || e.decision.verdict === 'low_trust') return undefined;
  return e.variants.find((v) => (v.stats.probabilityBest ?? 0) > (e.confidenceThreshold || 0.95));
}

export interface Said {
  level: Level;
  word: string;
  sentence: string;
}

/** verdictOf is where an experiment stands, in a sentence. */
export function verdictOf(e: Experiment): Said {
  const named = (id: string | null | undefined) => nameOf(e.variants.find((v) => v.id === id) ?? { id: id ?? 'nobody' });
  if (e.status === 'draft') return { level: 'quiet', word: 'Draft', sentence: 'Nobody sees it yet.' };
  if (e.status === 'completed') return { level: 'ok', word: 'Decided', sentence: e.winner ? `Everybody gets ${named(e.winner)}, for ever.` : 'It is over, and everybody gets the control.' };
  const verdict = e.decision.verdict;
  const say = (sentence: string): Said => ({ level: verdictLevels[verdict], word: verdictWords[verdict], sentence });
  if (e.goalConfig.type === 'impressions_only') return { level: statusLevels[e.status], word: statusWords[e.status], sentence: 'Who saw what is counted, and nothing is compared.' };
  if (e.type !== 'ab_test') return { level: e.status === 'paused' ? 'paused' : 'busy', word: statusWords[e.status], sentence: e.type === 'smart_link' ? 'Conditions say which variant is shown. Nothing is compared.' : 'The clock says which variant is shown. Nothing is compared.' };
  const leader = leaderOf(e);
  const rival = leader && rivalOf(e, leader);
  const range = leader?.stats.liftInterval && rangeOf(leader.stats.liftInterval);
  switch (verdict) {
    case 'winner_ready': {
      const by = leader?.stats.lift ? `: ${liftWords(leader.stats.lift)} against ${rival ? nameOf(rival) : 'the control'}${range ? `, and at least ${liftWords(range[0])}` : ''}` : '';
      return say(`${leader ? nameOf(leader) : 'A variant'} wins${by}.`);
    }
    case 'no_clear_winner':
      return say('As many people as were planned have seen it, and no variant is clearly better. Keep the one that you like, or try a bolder difference.');
    case 'unhealthy':
      return say('Something is wrong with how people reach the variants. Mend that first: these numbers can’t be trusted.');
    case 'low_traffic':
      return say(`It goes too slowly${e.decision.daysLeft ? `: at this pace it takes about ${counted(Math.ceil(e.decision.daysLeft), 'more day')}` : ''}.`);
    case 'low_trust':
      return say('Images are fetched without a name for who looks, so that one person may be counted many times. Put a unit into the address, as below.');
    default:
      if (!leader) return say(e.variants.some((v) => v.stats.exposures > 0) ? 'People have seen it, and none did what counts yet.' : 'Nobody has seen it yet.');
      return say(`${nameOf(leader)} is ahead, and that can still be chance.`);
  }
}

const operators: Record<string, string> = { equals: 'is', not_equals: 'is not', in: 'is one of', not_in: 'is none of', contains: 'contains', gt: 'is more than', gte: 'is at least', lt: 'is less than', lte: 'is at most', between: 'is between' };

const valueWords = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : String(value ?? '…'));

/** conditionWords is a condition as a sentence. */
export function conditionWords(c: Condition | null | undefined, inner = false): string {
  if (!c || (c.type === 'group' && c.children.length === 0)) return 'always';
  if (c.type === 'rule') return `${c.property.replace(/^custom\./, '')} ${operators[c.operator] ?? c.operator} ${c.operator === 'between' && Array.isArray(c.value) ? c.value.map(String).join(' and ') : valueWords(c.value)}`;
  const words = c.children.map((child) => conditionWords(child, true)).join(c.operator === 'AND' ? ' and ' : ' or ');
  return inner && c.children.length > 1 ? `(${words})` : words;
}

const timeWords = (time: string) => new Date(time).toLocaleString(undefined, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });

/** scheduleWords is when a variant is shown. */
export function scheduleWords(s: Schedule | null | undefined): string {
  if (!s) return 'always';
  const ends = [s.startAt && `from ${timeWords(s.startAt)}`, s.endAt && `until ${timeWords(s.endAt)}`].filter(Boolean).join(' ');
  const r = s.recurrence;
  const again = !r || r.type === 'none' ? '' : `${r.type === 'cron' ? `at ${r.cronExpression || '…'}` : r.type}${r.durationMinutes ? ` for ${counted(r.durationMinutes, 'minute')}` : ''}${r.timezone ? `, ${r.timezone}` : ''}`;
  return [ends, again].filter(Boolean).join(', ') || 'always';
}
