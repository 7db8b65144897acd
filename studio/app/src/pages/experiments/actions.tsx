// What may be done to an experiment, each with what it does to how many.

import { useState } from 'preact/hooks';

import { request } from '../../api/client.ts';
import { addressOf, doorOf, type Experiment } from '../../api/experiments.ts';
import { Act } from '../../ui/act.tsx';
import { count, counted } from '../../ui/words.ts';
import { Complete } from './complete.tsx';
import { Rollout } from './rollout.tsx';

export const people = (e: Experiment): number => e.variants.reduce((sum, v) => sum + v.stats.exposures, 0);

/** move asks for a step in an experiment's life, of the revision that is shown. */
export const move = (e: Experiment, step: string, body: unknown = {}): Promise<unknown> => request(`${doorOf(e)}/${step}`, { method: 'POST', body, ifMatch: `"${e.revision}"` });

export function Actions({ of: e, moved, gone }: { of: Experiment; moved: () => void; gone: () => void }) {
  const [open, setOpen] = useState<'' | 'complete' | 'rollout'>('');
  const seen = people(e);
  const file = e.readOnly && <span class="soft small">in pictifyd.yaml</span>;
  return (
    <>
      {e.status === 'draft' && (
        <Act kind="strong" act={() => move(e, 'start')} done={`${e.name} is running`} then={moved}
          confirm={{ title: `Start ${e.name}?`, question: <p>{counted(e.variants.length, 'picture')} are drawn first, so that no variant is slower than another. From then on its variants, weights and goal are fixed, and everybody who fetches it counts{e.coverage !== undefined && e.coverage > 0 && e.coverage < 10_000 ? ` (${e.coverage / 100} % of them take part)` : ''}.</p> }}>
          Start
        </Act>
      )}
      {e.status === 'running' && (
        <Act act={() => move(e, 'pause')} done={`${e.name} is paused`} then={moved}
          confirm={{ title: `Pause ${e.name}?`, question: <p>{counted(seen, 'person', 'people')} keep the image that they have. Who comes new gets the control, and nothing is counted until it goes on.</p> }}>
          Pause
        </Act>
      )}
      {e.status === 'paused' && <Act kind="strong" act={() => move(e, 'resume')} done={`${e.name} goes on`} then={moved}>Resume</Act>}
      {(e.status === 'running' || e.status === 'paused') && (
        <>
          {e.type === 'ab_test' && <button type="button" class="button" onClick={() => setOpen('rollout')}>Change weights</button>}
          <button type="button" class={`button ${e.decision.ready ? 'strong' : ''}`} onClick={() => setOpen('complete')}>Complete</button>
        </>
      )}
      {e.status !== 'completed' && !e.readOnly && <a class="button" href={`${addressOf(e)}/edit`}>Edit</a>}
      {!e.readOnly && (e.status === 'draft' || e.status === 'completed') && (
        <Act kind="danger" act={() => request(doorOf(e), { method: 'DELETE', ifMatch: `"${e.revision}"` })} done={`${e.name} is ${e.status === 'draft' ? 'deleted' : 'out of the list'}`} then={gone}
          confirm={{ title: `Delete ${e.name}?`, question: e.status === 'draft' ? <p>Nobody has seen it. Its address {e.slug} can be used again.</p> : <p>It goes out of the list with its report. {count(seen)} people may have its image in a mail or a page: the address serves the winner on, for ever, and can’t be used again.</p> }}>
          Delete
        </Act>
      )}
      {file}
      {open === 'complete' && <Complete of={e} seen={seen} close={() => setOpen('')} moved={moved} />}
      {open === 'rollout' && <Rollout of={e} close={() => setOpen('')} moved={moved} />}
    </>
  );
}
