// The copilot: what should change is said in words, and done step by step on the
// draft, where each step is seen, kept or taken back.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { isReviewable, type Run } from '../../api/copilot.ts';
import { Empty, Mark, Note, When } from '../../ui/show.tsx';
import type { Doc } from '../document.ts';
import { Ask, Candidates } from './choices.tsx';
import { Composer } from './composer.tsx';
import { Findings } from './findings.tsx';
import { History } from './history.tsx';
import { closeCopilot } from './open.ts';
import { pilotOf, type Pilot } from './pilot.ts';
import { Plan } from './plan.tsx';
import { Review, standing, Variants } from './review.tsx';
import { progressWords, spentWords, statuses, statusOf, toolWords } from './words.ts';
import '../panels/panels.css';
import './copilot.css';

export function Copilot({ doc }: { doc: Doc }) {
  const pilot = pilotOf(doc), run = pilot.run.value;
  const [listing, setListing] = useState(false);
  const body = useRef<HTMLDivElement>(null), atEnd = useRef(true);
  useEffect(() => pilot.watch(), [pilot]);
  // What comes is in sight, unless somebody reads what is further up.
  useLayoutEffect(() => {
    const grown = new ResizeObserver(() => {
      if (atEnd.current && pilot.working.value) body.current!.scrollTop = body.current!.scrollHeight;
    });
    for (const part of body.current!.children) grown.observe(part);
    return () => grown.disconnect();
  }, [pilot, run?.id, listing]);
  return (
    <div class="copilot" role="region" aria-label="Copilot">
      <header class="copilot-head">
        <h2>{listing ? 'Runs' : pilot.past.value ? 'A run of before' : 'Copilot'}</h2>
        {run && !listing && !pilot.working.value && <button type="button" class="button plain" onClick={() => pilot.leave()}>New</button>}
        <button type="button" class="button plain" aria-pressed={listing} onClick={() => setListing(!listing)}>{listing ? 'Back' : 'History'}</button>
        <button type="button" class="button plain copilot-close" aria-label="Close the copilot" onClick={closeCopilot}>×</button>
      </header>
      <div class="copilot-body" ref={body} onScroll={() => (atEnd.current = ended(body.current!))}>
        {listing ? <History doc={doc} pilot={pilot} close={() => setListing(false)} /> : run ? <RunView key={run.id} doc={doc} pilot={pilot} run={run} /> : <Begin pilot={pilot} />}
      </div>
      {!listing && run && <Review pilot={pilot} run={run} />}
      {!listing && <Composer doc={doc} pilot={pilot} />}
      <p class="hide" role="status" aria-live="polite">{progressWords(run, doing(pilot))}</p>
    </div>
  );
}

const ended = (el: HTMLElement) => el.scrollHeight - el.scrollTop - el.clientHeight < 40;

function Begin({ pilot }: { pilot: Pilot }) {
  if (!pilot.loaded.value) return pilot.trouble.value === null ? <p class="soft" role="status">Looking for the copilot …</p> : null;
  return (
    <Empty title="Say what should change">
      <p>It plans, changes the draft step by step, and checks each step in every size and theme with your hardest rows. You keep a step or take it back; nothing is published.</p>
      {pilot.models.value.length === 1 && pilot.models.value[0]!.name === 'rules' && <p class="soft">Without a model it knows dark variants, other sizes and backgrounds. More models are set up in <code>pictifyd.yaml</code>, under <code>copilot</code>.</p>}
    </Empty>
  );
}

/** doing is what goes on now, in plain words. */
const doing = (pilot: Pilot): string => pilot.progress.value.under?.title ?? 'Reads the template';

const quiet = new Set(['set_plan', 'finish_step', 'finish']); // which the plan shows

/** Doing is the step under way, and what was done for it so far. */
function Doing({ doc, pilot }: { doc: Doc; pilot: Pilot }) {
  const { says, acts, under } = pilot.progress.value;
  const done = acts.filter((a) => a.tool && !a.tool.error && !quiet.has(a.tool.name) && a.step === (under?.step ?? 1)).slice(-4);
  return (
    <div class="copilot-doing">
      <Mark level="busy">{doing(pilot)} …</Mark>
      {done.length > 0 && <ul class="small soft" aria-label="Done for this step">{done.map((a) => <li key={a.seq}><span aria-hidden="true">✓ </span>{toolWords(a.tool!.name, a.tool!.arguments, (id) => doc.title(id))}</li>)}</ul>}
      {says && <p class="small wrap">{says}</p>}
    </div>
  );
}

function RunView({ doc, pilot, run }: { doc: Doc; pilot: Pilot; run: Run }) {
  const [level, word] = statuses[statusOf(run)];
  const refusals = pilot.progress.value.acts.filter((a) => a.tool?.error);
  const last = run.steps.at(-1), found = run.findings.length > 0 && JSON.stringify(run.findings) !== JSON.stringify(last?.findings) ? run.findings : [];
  return (
    <div class="copilot-run">
      <div class="copilot-message"><p class="wrap">{run.message}</p><p class="small soft"><When time={run.createdAt} />, {run.model}</p></div>
      <p class="spread copilot-status"><Mark level={level}>{word}</Mark>{!pilot.live.value && <span class="small soft" role="status">The connection is lost; it comes back by itself.</span>}</p>
      <Ended pilot={pilot} run={run} />
      <Plan doc={doc} pilot={pilot} run={run} />
      {run.status === 'running' && <Doing doc={doc} pilot={pilot} />}
      {refusals.length > 0 && (
        <details><summary>{refusals.length === 1 ? 'One call was refused' : `${refusals.length} calls were refused`}</summary>
          <ul class="copilot-notes">{refusals.map((a) => <li key={a.seq}>{toolWords(a.tool!.name, a.tool!.arguments, (id) => doc.title(id))}: {a.tool!.error}</li>)}</ul>
        </details>
      )}
      {run.question && run.status === 'waiting' && <Ask key={run.question.id} pilot={pilot} question={run.question} />}
      <Candidates pilot={pilot} run={run} />
      <Findings doc={doc} findings={found} label="Found by the last checks" />
      <Variants doc={doc} run={run} />
      {run.status !== 'running' && run.status !== 'waiting' && <p class="small soft copilot-spent">{spentWords(run.spent).join(' · ')}</p>}
    </div>
  );
}

/** Ended says how it ended, and what comes next. */
function Ended({ pilot, run }: { pilot: Pilot; run: Run }) {
  const again = () => void pilot.start(run.message);
  const here = standing(run).length, status = statusOf(run);
  if (run.problem) {
    return (
      <Note level={run.status === 'cancelled' ? undefined : 'error'}>
        <p><strong>{run.problem.message}</strong></p>
        {run.problem.hint && <p class="soft">{run.problem.hint}</p>}
        {here > 0 && isReviewable(run) && <p>What it did before stands in the draft, to be reviewed.</p>}
        <p><button type="button" class="button" disabled={pilot.busy.value} onClick={again}>Try again</button></p>
      </Note>
    );
  }
  return (
    <>
      {run.summary && <p class="wrap">{run.summary}</p>}
      {run.status === 'cancelled' && <Note><p>You cancelled it.{here > 0 ? ' What it did before stands in the draft, to be reviewed.' : ' The draft is as it was.'}</p><p><button type="button" class="button" disabled={pilot.busy.value} onClick={again}>Try again</button></p></Note>}
      {status === 'discarded' && <p class="soft">All its steps are taken back.</p>}
      {status === 'accepted' && <p class="soft">Its steps are in the draft. Publish when the template is as you want it.</p>}
    </>
  );
}
