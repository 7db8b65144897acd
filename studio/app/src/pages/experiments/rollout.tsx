// Other weights for who comes new, while an experiment runs.

import { useState } from 'preact/hooks';

import { type Experiment, nameOf } from '../../api/experiments.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Note, Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';
import { move, people } from './actions.tsx';
import { WeightFields } from './form/weightfields.tsx';

export function Rollout({ of: e, close, moved }: { of: Experiment; close: () => void; moved: () => void }) {
  const [weights, setWeights] = useState(e.variants.map((v) => v.currentWeight));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const seen = people(e);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await move(e, 'rollout', { weights: Object.fromEntries(e.variants.map((v, i) => [v.id, weights[i]!])) });
      toast('Who comes new gets the new weights');
      moved();
      close();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Weights of who comes new" close={close}>
      <form class="stack" onSubmit={submit}>
        <WeightFields names={e.variants.map(nameOf)} weights={weights} change={setWeights} />
        <Note><p>{counted(seen, 'person', 'people')} keep what they have. Only who comes new is split by these weights.{e.banditConfig?.enabled && ' The bandit moves them again at its next turn.'}</p></Note>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions">
          <button type="button" class="button" onClick={close}>Cancel</button>
          <button type="submit" class="button strong" disabled={busy || e.variants.every((v, i) => v.currentWeight === weights[i])}>Change weights</button>
        </div>
      </form>
    </Dialog>
  );
}
