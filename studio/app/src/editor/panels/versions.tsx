// The versions of the template: who made which when, what differs, and back to one.

import { useState } from 'preact/hooks';

import { path, post, query } from '../../api/client.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useLoad } from '../../ui/load.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { get } from '../../api/client.ts';
import { tell } from '../../ui/toast.tsx';
import type { Doc } from '../document.ts';
import { PictureDiff, SourceDiff } from './compare.tsx';
import './panels.css';

interface Version {
  version: number;
  digest: string;
  author: string;
  createdAt: string;
}

interface VersionPage {
  versions: Version[];
  next?: number;
}

export function Versions({ doc }: { doc: Doc }) {
  const where = path`/templates/${doc.id}/versions`;
  const first = useLoad<VersionPage>(where + query({ limit: 50 }), [doc.base.value]);
  const [more, setMore] = useState<VersionPage>();
  const [looking, setLooking] = useState<{ kind: 'source' | 'picture'; version: number }>();
  if (first.error !== undefined && !first.data) return <Trouble error={first.error} again={first.again} />;
  const versions = [...first.data?.versions ?? [], ...more?.versions ?? []];
  const next = more ? more.next : first.data?.next;
  const newest = versions[0]?.version;
  if (first.data && versions.length === 0) return <Empty title="No version yet"><p>Publish, and the template has its first.</p></Empty>;
  const restore = async (version: number) => {
    const { revision, inverse } = await post<{ revision: number; inverse?: { op: string }[] }>(`${where}/${version}/restore`, { author: doc.author || undefined });
    await doc.pushed(`Restore version ${version}`, revision, inverse ?? []);
  };
  return (
    <div class="stack">
      <ul class="entries versions" aria-label="Versions">
        {versions.map((v) => (
          <li key={v.version} aria-current={v.version === doc.base.value || undefined}>
            <span><strong>Version {v.version}</strong>{v.version === newest && <span class="chip" data-level="ok">newest</span>}{v.version === doc.base.value && <span class="chip">the draft is based on it</span>}</span>
            <span class="soft small">{v.author || 'without a name'}, <When time={v.createdAt} /></span>
            <span class="row">
              {v.version !== newest && <button type="button" class="button" onClick={() => setLooking({ kind: 'source', version: v.version })}>What changed since</button>}
              <button type="button" class="button" onClick={() => setLooking({ kind: 'picture', version: v.version })}>Beside the draft</button>
              <Act act={() => restore(v.version)} done={`The draft is what version ${v.version} was. Publish it to make it the newest.`} confirm={{ title: `Restore version ${v.version}?`, question: <p>The draft becomes what it was. Undo takes that back; nothing is drawn anew until you publish.</p> }}>Restore</Act>
            </span>
          </li>
        ))}
      </ul>
      {next !== undefined && next > 0 && <p><button type="button" class="button" onClick={() => void get<VersionPage>(where + query({ before: next, limit: 50 })).then((p) => setMore({ versions: [...more?.versions ?? [], ...p.versions], next: p.next }), tell)}>Older ones</button></p>}
      {looking && (
        <Dialog wide title={looking.kind === 'source' ? `Version ${looking.version} against ${newest}` : `The draft against version ${looking.version}`} close={() => setLooking(undefined)}>
          {looking.kind === 'source' ? <SourceDiff doc={doc} from={looking.version} to={newest!} /> : <PictureDiff doc={doc} version="draft" against={looking.version} />}
          <div class="actions"><button type="button" class="button" onClick={() => setLooking(undefined)}>Close</button></div>
        </Dialog>
      )}
    </div>
  );
}
