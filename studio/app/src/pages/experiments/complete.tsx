// The end of an experiment: who wins, and what is not reached where somebody
// decides before the numbers do.

import { useState } from 'preact/hooks';

import { controlOf, type Experiment, nameOf } from '../../api/experiments.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tick } from '../../ui/field.tsx';
import { Note, Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { capital, counted } from '../../ui/words.ts';
import { move } from './actions.tsx';
import { ordered } from './order.ts';
import { VariantPicture } from './picture.tsx';
import { chanceWords, gatesOf, rateWords } from './words.ts';

export function Complete({ of: e, seen, close, moved }: { of: Experiment; seen: number; close: () => void; moved: () => void }) {
  const [winner, setWinner] = useState(e.decision.suggestedWinner ?? '');
  const [force, setForce] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const compared = e.type === 'ab_test' && e.goalConfig.type !== 'impressions_only';
  const agrees = !compared || (e.decision.ready && winner === e.decision.suggestedWinner);
  const why = e.decision.reasons.length > 0 ? e.decision.reasons : gatesOf(e).filter((g) => !g.met).map((g) => `${g.name}: ${g.have}`);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await move(e, 'complete', { winnerVariantId: winner, ...(agrees ? {} : { force: true }) });
      toast(`${e.name} is completed`);
      moved();
      close();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Complete ${e.name}`} wide={e.variants.length > 2} close={close}>
      <form class="stack" onSubmit={submit}>
        <fieldset class="winners">
          <legend>Everybody gets, from now on and for ever</legend>
          {ordered(e).map((v) => (
            <label key={v.id} class="starter">
              <input type="radio" name="winner" value={v.id} required checked={winner === v.id} onChange={() => setWinner(v.id)} />
              <VariantPicture of={v} rows={e.rows} />
              <span>
                <strong>{nameOf(v)}</strong>
                {compared && <span class="small soft">{rateWords(v.stats.rate)} of {counted(v.stats.exposures, 'person', 'people')}; best with {chanceWords(v.stats.probabilityBest)}</span>}
                <span class="row">{v.id === controlOf(e)?.id && <span class="chip">control</span>}{v.id === e.decision.suggestedWinner && <span class="chip" data-level="ok">the numbers say this one</span>}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {!agrees && winner !== '' && (
          <Note level="warn">
            {e.decision.ready ? <p><strong>The numbers say {nameOf(e.variants.find((v) => v.id === e.decision.suggestedWinner) ?? { id: '' })}.</strong></p> : <p><strong>The numbers don’t say so yet.</strong> What is not reached:</p>}
            <ul class="reasons">{why.map((r) => <li key={r}>{capital(r)}</li>)}</ul>
            <Tick label="Complete it all the same; the choice is mine" checked={force} change={setForce} />
          </Note>
        )}
        <p class="soft">It can’t be taken back. {counted(seen, 'person', 'people')} {seen === 1 ? 'was' : 'were'} counted; whoever has another variant gets the winner at the next fetch. Late conversions are still kept, and change no verdict.</p>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions">
          <button type="button" class="button" onClick={close}>Cancel</button>
          <button type="submit" class={`button ${agrees ? 'strong' : 'danger'}`} disabled={busy || winner === '' || (!agrees && !force)}>{agrees ? 'Complete' : 'Complete all the same'}</button>
        </div>
      </form>
    </Dialog>
  );
}
