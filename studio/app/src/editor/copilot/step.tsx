// One step of a run: its pictures, what was done and found, and what to do with it.

import { useState } from 'preact/hooks';

import { isOpen, pictureOf, type Run, type RunStep } from '../../api/copilot.ts';
import { Mark, Note } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { inWords } from '../conflicts.tsx';
import type { Doc } from '../document.ts';
import { authorOf } from '../model.ts';
import { linesOf } from '../panels/diff.ts';
import { Findings, lookAt } from './findings.tsx';
import { Large, pairOf, Wipe } from './pictures.tsx';
import type { Pilot } from './pilot.ts';
import { steps, viewWords } from './words.ts';

/** Step shows a step; titled: its title stands above it already. */
export function Step({ doc, pilot, run, step, titled }: { doc: Doc; pilot: Pilot; run: Run; step: RunStep; titled?: boolean }) {
  const [large, setLarge] = useState(false);
  const pair = pairOf(run.id, step), [level, word] = steps[step.state];
  const looks = pilot.progress.value.acts.filter((a) => a.step === step.number && a.look && a.look.picture !== step.after && a.look.picture !== step.before);
  const blocked = pilot.blocked.value?.step === step.number ? pilot.blocked.value : null;
  const ended = !isOpen(run), busy = pilot.busy.value;
  const { sizes } = doc.manifest.value;
  const has = (!step.size || sizes.some((s) => s.name === step.size)) && (!step.theme || doc.themes.value.includes(step.theme));
  const elsewhere = has && ((step.size ?? sizes[0]?.name) !== doc.size.value?.name || (step.theme ?? '') !== (doc.order.value.theme ?? ''));
  return (
    <article class="copilot-step" aria-label={`Step ${step.number}: ${step.title}`} data-state={step.state}>
      <header>{titled ? <span class="small soft">Step {step.number}</span> : <strong class="wrap">{step.title}</strong>}<Mark level={level}>{word}</Mark></header>
      {(pair.before || pair.after) && step.state !== 'rejected' && (
        <>
          <Wipe pair={pair} />
          <p class="spread small soft"><span>{viewWords(step)}</span><span class="row">{elsewhere && <button type="button" class="button plain" onClick={() => lookAt(doc, step)}>Show on the canvas</button>}<button type="button" class="button plain" onClick={() => setLarge(true)}>Larger</button></span></p>
        </>
      )}
      {step.notes.length > 0 && <ul class="copilot-notes">{step.notes.map((n, i) => <li key={i}>{n}</li>)}</ul>}
      <Findings doc={doc} findings={step.findings} label={`Found after step ${step.number}`} />
      {looks.length > 0 && <p class="copilot-looks">{looks.map((a) => <img key={a.seq} src={pictureOf(run.id, a.look!.picture)} alt={`What the model looked at${viewWords(a.look!) && `: ${viewWords(a.look!)}`}`} loading="lazy" />)}</p>}
      <details>
        <summary>{counted(step.ops.length, 'operation')}{step.changed.length > 0 && <span class="soft">, {counted(step.changed.length, 'layer')}</span>}</summary>
        {step.changed.length > 0 && <p class="row">{step.changed.map((id) => (doc.node(id) ? <button key={id} type="button" class="chip pick" onClick={() => doc.select([id])}>{doc.title(id)}</button> : <span key={id} class="chip">{id}</span>))}</p>}
        {step.diff ? <pre class="diff" tabIndex={0} aria-label={`Source of step ${step.number}, changed lines`}>{linesOf(step.diff).map((l, i) => <span key={i} data-kind={l.kind}><span aria-hidden="true">{{ new: '+ ', gone: '− ', same: '  ', place: '' }[l.kind]}</span><span class="hide">{{ new: 'added: ', gone: 'removed: ', same: '', place: '' }[l.kind]}</span>{l.text}{'\n'}</span>)}</pre> : <p class="soft">The text of the document is as it was.</p>}
      </details>
      {blocked && <Blocked blocked={blocked} />}
      {ended && step.state !== 'rejected' && (
        <div class="row">
          {step.state === 'pending' && <button type="button" class="button" disabled={busy} aria-label={`Accept step ${step.number}`} onClick={() => void pilot.accept(step.number)}>Accept</button>}
          <button type="button" class="button" disabled={busy} aria-label={`${step.state === 'pending' ? 'Reject' : 'Undo'} step ${step.number}`} onClick={() => void pilot.reject(step.number, step.state === 'accepted')}>{step.state === 'pending' ? 'Reject' : 'Undo'}</button>
        </div>
      )}
      {large && <Large pair={pair} close={() => setLarge(false)} />}
    </article>
  );
}

/** Blocked says what was done on top of a step, and what to do about it. */
export function Blocked({ blocked: { failure, clashes } }: { blocked: NonNullable<Pilot['blocked']['value']> }) {
  return (
    <div role="alert">
      <Note level="error">
        <p><strong>It was not taken back: {failure.detail}</strong></p>
        {clashes.map((c) => <p key={c.touched}><code>{c.touched}</code> was changed on top of it by {authorOf(c.by)} (revision {c.by.revision}): {inWords(c.theirs)}.</p>)}
        <p class="soft">{failure.hint || 'Take back what came later first: a later step of the copilot with Reject, a change of your own with Undo (Ctrl Z). Or accept this step.'}</p>
      </Note>
    </div>
  );
}
