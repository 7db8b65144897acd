// What a person chooses: one of several backgrounds, or the answer to a question.

import { useState } from 'preact/hooks';

import { isOpen, isReviewable, pictureOf, type Question, type Run } from '../../api/copilot.ts';
import { Input } from '../../ui/field.tsx';
import type { Pilot } from './pilot.ts';
import { standing } from './review.tsx';
import { Blocked } from './step.tsx';

export function Candidates({ pilot, run }: { pilot: Pilot; run: Run }) {
  if (run.candidates.length === 0) return null;
  const picked = run.candidates.find((c) => c.picked && run.steps.find((s) => s.number === c.picked)?.state !== 'rejected');
  const free = !isOpen(run), busy = pilot.busy.value;
  const blocked = pilot.blocked.value?.step === 0 ? pilot.blocked.value : null;
  return (
    <section aria-label="Choose one" class="copilot-section">
      <h3>{picked ? `“${picked.title}” is picked` : `Pick one of ${run.candidates.length}`}</h3>
      <ul class="copilot-candidates">
        {run.candidates.map((c) => (
          <li key={c.name}>
            <button type="button" aria-pressed={c === picked} disabled={!free || busy} onClick={() => c !== picked && void pilot.pick(c.name)}>
              {c.picture ? <img src={pictureOf(run.id, c.picture)} alt="" /> : <span class="copilot-nopicture" aria-hidden="true" />}
              <span>{c === picked && <span aria-hidden="true">✓ </span>}{c.title}{c === picked && <span class="hide">, picked</span>}</span>
            </button>
          </li>
        ))}
      </ul>
      {blocked && <Blocked blocked={blocked} />}
      {free && (picked || isReviewable(run) && standing(run).length === 0) && <p><button type="button" class="button" disabled={busy} onClick={() => void (picked ? pilot.reject(picked.picked!, run.steps.find((s) => s.number === picked.picked)?.state === 'accepted') : pilot.discard())}>Keep none</button></p>}
    </section>
  );
}

export function Ask({ pilot, question }: { pilot: Pilot; question: Question }) {
  const [own, setOwn] = useState('');
  const busy = pilot.busy.value;
  const answer = (text: string) => {
    if (text.trim()) void pilot.answer(question.id, text.trim());
  };
  return (
    <section aria-label="Question" class="copilot-section copilot-ask">
      <h3 class="wrap">{question.text}</h3>
      {question.choices.length > 0 && <p class="row">{question.choices.map((c) => <button key={c} type="button" class="button" disabled={busy} onClick={() => answer(c)}>{c}</button>)}</p>}
      <form class="copilot-answer" onSubmit={(e) => { e.preventDefault(); answer(own); }}>
        <Input aria-label={`Your own answer to: ${question.text}`} placeholder="Another answer" value={own} change={setOwn} maxLength={2000} />
        <button type="submit" class="button" disabled={busy || !own.trim()}>Answer</button>
      </form>
    </section>
  );
}
