// What may be said today, why not more, and what people get wrong by looking.

import { type Experiment, nameOf, type Segment } from '../../api/experiments.ts';
import { Mark, Note } from '../../ui/show.tsx';
import { capital, counted } from '../../ui/words.ts';
import { chanceWords, type Gate, gatesOf, liftWords, looksWon, rangeOf, verdictOf } from './words.ts';

/** ofMails says whether most of those who were counted got it by mail. */
function ofMails(segments: Segment[]): boolean {
  const sum = (of: (s: Segment) => boolean) => segments.filter(of).reduce((n, s) => n + s.exposures, 0);
  return sum((s) => s.channel === 'email') > sum((s) => s.channel !== 'email');
}

/** Early are the warnings for whoever would call it now. */
export function Early({ of: e, segments }: { of: Experiment; segments: Segment[] }) {
  const won = looksWon(e);
  const young = e.ranDays < Math.min(2, e.minimumRunDays ?? 2);
  const mails = ofMails(segments) && young && e.status !== 'completed' && e.type === 'ab_test';
  return (
    <>
      {won && (
        <Note level="warn">
          <p><strong>It looks won, and is not yet.</strong> By today’s numbers {nameOf(won)} has a chance of {chanceWords(won.stats.probabilityBest)} to be the best. But whoever looks again and again and stops at the first 95 % is wrong in more than half of all tests in which there is no difference at all.
            {won.stats.liftInterval && !won.isDefault && <> The range that holds however often you look still reaches from {liftWords(rangeOf(won.stats.liftInterval)[0])} to {liftWords(won.stats.liftInterval[1])}.</>} Let it run.</p>
        </Note>
      )}
      {mails && (
        <Note level="warn"><p><strong>These are a mail’s first hours.</strong> Who opens at once is not who opens tomorrow, and a winner of some hours on a small part of the list is mostly noise. Wait for {counted(Math.max(2, Math.ceil(e.minimumRunDays ?? 2)), 'day')} before the rest is sent.</p></Note>
      )}
      {e.banditConfig?.enabled && <Note><p>The weights follow what does better (a bandit). It loses fewer clicks on the way, and its rates can’t be compared with those of a plain A/B test: who came early and who came late got different shares.</p></Note>}
    </>
  );
}

/** GateList shows what must hold before there is a winner. */
export function GateList({ gates }: { gates: Gate[] }) {
  return (
    <ul class="gates">
      {gates.map((g) => (
        <li key={g.name}>
          <Mark level={g.met ? 'ok' : g.bad ? 'error' : 'quiet'}>{g.name}<span class="hide">{g.met ? ': reached' : ': not reached'}</span></Mark>
          <span class="soft">{g.have}</span>
          <span class="bar" aria-hidden="true"><span data-part={g.met ? 'done' : 'left'} style={{ flex: `${g.share} 1 0` }} /><span style={{ flex: `${1 - g.share} 1 0` }} /></span>
        </li>
      ))}
    </ul>
  );
}

const Reasons = ({ of }: { of: string[] }) => <ul class="reasons">{of.map((r) => <li key={r}>{capital(r)}</li>)}</ul>;

export function VerdictCard({ of: e, segments }: { of: Experiment; segments: Segment[] }) {
  const said = verdictOf(e);
  const reasons = e.decision.reasons;
  const open = e.type === 'ab_test' && (e.status === 'running' || e.status === 'paused') && e.goalConfig.type !== 'impressions_only';
  const gated = open && !e.decision.ready && e.decision.verdict === 'running'; // the gates beside say the same, shorter
  return (
    <section class="card verdict" aria-labelledby="verdict" data-level={said.level}>
      <div class="stack">
        <p class="row"><Mark level={said.level}>{said.word}</Mark>{e.decision.daysLeft && e.decision.verdict !== 'unhealthy' ? <span class="soft small">about {counted(Math.ceil(e.decision.daysLeft), 'more day')} at this pace{e.decision.neededPerVariant ? `, until ${counted(e.decision.neededPerVariant, 'person has', 'people have')} seen each` : ''}</span> : null}</p>
        <h2 id="verdict">{said.sentence}</h2>
        {reasons.length > 0 && (gated ? <details><summary>Why not yet ({reasons.length})</summary><Reasons of={reasons} /></details> : <Reasons of={reasons} />)}
        {e.hypothesis && <p class="soft"><span class="small">The hypothesis:</span> {e.hypothesis}</p>}
        <Early of={e} segments={segments} />
      </div>
      {open && <div><h3>Before there is a winner</h3><GateList gates={gatesOf(e)} /></div>}
    </section>
  );
}
