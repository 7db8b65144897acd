// What a binding is made of, to be changed where it was made over the API.

import { useLocation } from 'preact-iso';

import { path, request } from '../../api/client.ts';
import type { Binding } from '../../api/types.ts';
import { Act } from '../../ui/act.tsx';
import { JsonEditor } from '../../ui/json.tsx';
import { Copy, Note, When } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';

export function Config({ of: b, again }: { of: Binding; again: () => void }) {
  const { route } = useLocation();
  const at = path`/bindings/${b.name}`;
  const save = async (body: unknown) => {
    await request(at, { method: 'PUT', body, ifMatch: b.revision ? `"${b.revision}"` : undefined });
    toast(`${b.name} is saved, and in effect`);
    again();
  };
  const remove = (images: string) => () => request(`${at}?images=${images}`, { method: 'DELETE' });
  const gone = () => route('/studio/bindings');
  return (
    <>
      <dl class="facts">
        <dt>Defined in</dt><dd>{b.readOnly ? 'the configuration file' : 'the API'}{b.author && <>, by {b.author}</>}{b.updatedAt && <>, <When time={b.updatedAt} /></>}</dd>
        <dt>Outputs</dt><dd>{b.outputs.map((o) => `${o.name} (${o.ext})`).join(', ')}</dd>
        <dt>Sinks</dt><dd>{b.sinks.length === 0 ? 'none: images are served, nobody is told' : b.sinks.map((s, i) => <span key={s}>{i > 0 && ', '}<a href={`/studio${path`/sinks/${s}`}`}>{s}</a></span>)}</dd>
        <dt>Image of a row</dt><dd><code class="wrap">{b.renderUrl}</code> <Copy text={b.renderUrl} />{!b.public && <span class="soft small"> needs a key: the binding is not public</span>}</dd>
        {b.webhookUrl && <><dt>Rows are sent to</dt><dd><code class="wrap">{b.webhookUrl}</code> <Copy text={b.webhookUrl} /></dd></>}
      </dl>
      {b.readOnly
        ? <Note>It stands in pictifyd.yaml, and is changed there: the file is read again by itself.{b.config !== undefined && <pre tabIndex={0}><code>{JSON.stringify(b.config, null, 2)}</code></pre>}</Note>
        : (
          <>
            <JsonEditor key={b.revision} value={b.config} save={save} />
            <div class="row">
              <Act kind="danger" act={remove('keep')} done={`${b.name} is deleted; its images stay`} then={gone} confirm={{ title: `Delete ${b.name}?`, question: <p>{counted(b.items, 'row')} are followed no more. Their images stay, at the same addresses.</p> }}>Delete, keep images</Act>
              <Act kind="danger" act={remove('remove')} done={`${b.name} and its images are deleted`} then={gone} confirm={{ title: `Delete ${b.name} and its images?`, question: <p>{counted(b.ready, 'image is', 'images are')} removed, and {b.sinks.length === 0 ? 'no sink is told' : `${b.sinks.join(', ')} told of each`}. This can't be taken back.</p> }}>Delete with images</Act>
            </div>
          </>
        )}
    </>
  );
}
