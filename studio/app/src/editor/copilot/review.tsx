// What is decided when the copilot has ended: keep its steps or take them back,
// look at what it made, and compare it with what there was.

import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';

import { post } from '../../api/client.ts';
import { isReviewable, runOf, type Run, type RunStep, type RunVariant } from '../../api/copilot.ts';
import { addressOf, type Experiment } from '../../api/experiments.ts';
import { slugOf } from '../../pages/experiments/form/draft.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { lookAt } from './findings.tsx';
import type { Pilot } from './pilot.ts';
import { Blocked } from './step.tsx';
import { viewWords } from './words.ts';

/** standing are the steps that are in the draft. */
export const standing = (run: Run): RunStep[] => run.steps.filter((s) => s.state !== 'rejected');

export function Review({ pilot, run }: { pilot: Pilot; run: Run }) {
  const here = standing(run), pending = here.filter((s) => s.state === 'pending');
  const blocked = pilot.blocked.value?.step === 0 && run.candidates.length === 0 ? pilot.blocked.value : null;
  if (!isReviewable(run) || here.length === 0) return null;
  return (
    <section aria-label="Review" class="copilot-review">
      {blocked && <Blocked blocked={blocked} />}
      <div class="spread">
        <span>{pending.length > 0 ? `${counted(pending.length, 'step')} to review` : 'All are accepted'}</span>
        <span class="row">{pending.length > 0 && <button type="button" class="button strong" disabled={pilot.busy.value} onClick={() => void pilot.accept()}>Accept all</button>}
        <button type="button" class="button" disabled={pilot.busy.value} onClick={() => void pilot.discard()}>Discard all</button></span>
      </div>
    </section>
  );
}

export function Variants({ doc, run }: { doc: Doc; run: Run }) {
  const [trying, setTrying] = useState(false);
  if (run.variants.length === 0 || run.status === 'discarded' || run.status === 'running') return null;
  const why = doc.changed.value ? 'An experiment shows what is published, and this is not: publish the template first.' : '';
  return (
    <section aria-label="Variants" class="copilot-section">
      <h3>{run.variants.length === 1 ? 'There is a variant now' : `There are ${run.variants.length} variants now`}</h3>
      {run.variants.map((v) => <Shown key={v.name} doc={doc} variant={v} />)}
      <p><button type="button" class="button" disabled={why !== ''} aria-describedby={why ? 'copilot-why' : undefined} onClick={() => setTrying(true)}>Try it as an experiment</button></p>
      {why && <p class="small soft" id="copilot-why">{why}</p>}
      {trying && <Try run={run} close={() => setTrying(false)} />}
    </section>
  );
}

/** Shown switches the canvas to a variant and back. */
function Shown({ doc, variant }: { doc: Doc; variant: RunVariant }) {
  const base = doc.manifest.value.sizes[0]?.name;
  const on = (doc.order.value.theme ?? '') === (variant.theme ?? '') && (!variant.size || doc.size.value?.name === variant.size);
  const there = (!variant.theme || doc.themes.value.includes(variant.theme)) && (!variant.size || doc.manifest.value.sizes.some((s) => s.name === variant.size));
  return (
    <p class="spread">
      <span class="wrap">{variant.name}{viewWords(variant) && <span class="soft"> ({viewWords(variant)})</span>}</span>
      {there ? <button type="button" class="button" aria-pressed={on} onClick={() => (on ? doc.setOrder({ theme: undefined, size: variant.size ? undefined : doc.order.value.size }) : lookAt(doc, { size: variant.size ?? doc.size.value?.name ?? base, theme: variant.theme }))}>{on ? 'Shown' : 'Show it'}</button> : <span class="soft small">taken back</span>}
    </p>
  );
}

function Try({ run, close }: { run: Run; close: () => void }) {
  const { route } = useLocation();
  const [name, setName] = useState(`${run.template}: ${run.variants.map((v) => v.name).join(', ')}`);
  const [slug, setSlug] = useState(slugOf(`${run.template}-${run.variants.map((v) => v.name).join('-')}`));
  const [leads, setLeads] = useState('');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const make = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const goalConfig = leads.trim() ? { type: 'click_through', destinationUrl: leads.trim() } : { type: 'impressions_only' };
      const made = await post<Experiment | { experiment: Experiment }>(`${runOf(run.id)}/experiment`, { slug, name, goalConfig });
      const experiment = 'experiment' in made ? made.experiment : made;
      toast(`${experiment.name} is there, and not started yet`);
      close();
      route(addressOf(experiment));
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Try it as an experiment" close={close}>
      <form class="stack" onSubmit={make}>
        <p>People are shown the template as it is, or {run.variants.length === 1 ? 'the variant' : 'one of the variants'}, and what they do is counted. It begins as a draft that nobody sees.</p>
        <Field label="Name"><Input value={name} change={setName} required maxLength={200} /></Field>
        <Field label="Address" help={`Images are at /s/${slug || '…'}.png`}><Input value={slug} change={setSlug} required pattern="[a-z0-9][a-z0-9\-]*" maxLength={60} /></Field>
        <Field label="A click leads to" help="Without it, only who sees which is counted."><Input type="url" value={leads} change={setLeads} placeholder="https://" /></Field>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions"><button type="button" class="button" onClick={close}>Cancel</button><button type="submit" class="button strong" disabled={busy}>Make the experiment</button></div>
      </form>
    </Dialog>
  );
}
