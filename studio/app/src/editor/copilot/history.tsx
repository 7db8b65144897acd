// The runs of this template, newest first, each to be looked at again.

import { useState } from 'preact/hooks';

import { get } from '../../api/client.ts';
import { runsOf, type Run } from '../../api/copilot.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Mark, Trouble, When } from '../../ui/show.tsx';
import { tell } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import type { Pilot } from './pilot.ts';
import { statuses } from './words.ts';

interface RunPage {
  runs: Run[];
  nextAfter: string | null;
}

export function History({ doc, pilot, close }: { doc: Doc; pilot: Pilot; close: () => void }) {
  const first = useLoad<RunPage>(runsOf(doc.id, { limit: 20 }));
  const [more, setMore] = useState<RunPage>();
  if (first.error !== undefined && !first.data) return <Trouble error={first.error} again={first.again} />;
  if (!first.data) return <p class="soft" role="status">Looking them up …</p>;
  const runs = [...first.data.runs, ...more?.runs ?? []], next = more ? more.nextAfter : first.data.nextAfter;
  if (runs.length === 0) return <Empty title="No run yet"><p>What the copilot is asked about this template is listed here.</p></Empty>;
  return (
    <>
      <ul class="entries" aria-label="Runs of this template">
        {runs.map((r) => {
          const [level, word] = statuses[r.status];
          return (
            <li key={r.id} aria-current={r.id === pilot.run.value?.id || undefined}>
              <button type="button" class="entry copilot-entry" onClick={() => void pilot.show(r.id).then(close)}>
                <span class="wrap">{r.message}</span>
                <span class="row small"><Mark level={level}>{word}</Mark><span class="soft">{counted(r.steps?.length ?? 0, 'step')}, <When time={r.createdAt} /></span></span>
              </button>
            </li>
          );
        })}
      </ul>
      {next && <p><button type="button" class="button" onClick={() => void get<RunPage>(runsOf(doc.id, { limit: 20, after: next })).then((p) => setMore({ runs: [...more?.runs ?? [], ...p.runs], nextAfter: p.nextAfter }), tell)}>Older ones</button></p>}
    </>
  );
}
