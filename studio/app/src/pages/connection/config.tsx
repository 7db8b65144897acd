// The configuration of a source or sink, to be changed where it was made over
// the API.

import { useLocation } from 'preact-iso';

import { request } from '../../api/client.ts';
import type { Connection, Kind } from '../../api/ops.ts';
import { Act } from '../../ui/act.tsx';
import { JsonEditor } from '../../ui/json.tsx';
import { useLoad } from '../../ui/load.ts';
import { type Document, put } from '../../ui/schema/shape.ts';
import { Note, When } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { ConnectionForm } from './form.tsx';
import { type Side, sides } from './words.ts';

export function ConnectionConfig({ side, of: c, at, again }: { side: Side; of: Connection; at: string; again: () => void }) {
  const words = sides[side];
  const { route } = useLocation();
  const kinds = useLoad<{ sources: Kind[]; sinks: Kind[] }>(c.readOnly ? null : '/kinds');
  const kind = kinds.data?.[side === 'source' ? 'sources' : 'sinks'].find((k) => k.kind === c.kind);
  const save = async (body: unknown) => {
    await request(at, { method: 'PUT', body, ifMatch: c.revision ? `"${c.revision}"` : undefined });
    toast(`${c.name} is saved, and in effect`);
    again();
  };
  if (c.readOnly) return <Note>It stands in pictifyd.yaml under <code>{words.many}.{c.name}</code>, and is changed there: the file is read again by itself.</Note>;
  const config = put(put((c.config ?? {}) as Document, 'name', undefined), 'kind', undefined);
  return (
    <>
      <p class="soft">Made over the API{c.author && <> by {c.author}</>}, changed <When time={c.updatedAt} />. Secrets are never shown.</p>
      {kind ? <ConnectionForm key={c.revision} side={side} kind={kind} name={c.name} config={config} save={save} />
        : kinds.error !== undefined && <JsonEditor key={c.revision} value={c.config} save={save} />}
      <div class="row">
        <Act kind="danger" act={() => request(at, { method: 'DELETE' })} done={`${c.name} is deleted`} then={() => route(`/studio/${words.many}`)} disabled={c.usedBy.length > 0}
          confirm={{ title: `Delete ${c.name}?`, question: <p>{side === 'source' ? 'Its rows go with it.' : 'What waits for it is told to nobody.'} This can't be taken back.</p> }}>
          Delete
        </Act>
        {c.usedBy.length > 0 && <span class="soft">It is used by {c.usedBy.join(', ')}: delete them first, or have them use another.</span>}
      </div>
    </>
  );
}
