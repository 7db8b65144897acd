// A new source or sink: its kind first, then the form of that kind.

import { useLocation } from 'preact-iso';

import { path, request } from '../../api/client.ts';
import type { Connection, Kind } from '../../api/ops.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { ConnectionForm } from './form.tsx';
import { type Side, sides } from './words.ts';

export function NewConnection({ side }: { side: Side }) {
  const words = sides[side];
  const { route } = useLocation();
  const [filters, set] = useFilters();
  const { data, error, again } = useLoad<{ sources: Kind[]; sinks: Kind[] }>('/kinds');
  const kinds = data?.[side === 'source' ? 'sources' : 'sinks'];
  const chosen = kinds?.find((k) => k.kind === filters.kind && k.callers);
  const save = async (body: object) => {
    const { data: made } = await request<Record<string, Connection>>(`/${words.many}`, { method: 'POST', body });
    const { name } = made[words.one]!;
    toast(`${name} is there`);
    route(`/studio/${words.many}${path`/${name}`}`);
  };
  return (
    <Page title={`New ${words.one}`} over={<a href={`/studio/${words.many}`}>{words.title}</a>}>
      {error !== undefined && <Trouble error={error} again={again} />}
      {kinds && (
        <section aria-labelledby="kind">
          <h2 id="kind">Kind</h2>
          <ul class="kinds">
            {kinds.map((k) => (
              <li key={k.kind}>
                <button type="button" class="card" aria-pressed={chosen === k} disabled={!k.callers} onClick={() => set({ kind: k.kind })}>
                  <strong>{k.kind}</strong>
                  <span class="soft small">{k.summary}</span>
                  {!k.callers && <span class="chip">only in pictifyd.yaml: it reaches this machine</span>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {chosen && <ConnectionForm key={chosen.kind} side={side} kind={chosen} config={{}} save={save} />}
    </Page>
  );
}
