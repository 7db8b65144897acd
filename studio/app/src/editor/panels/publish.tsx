// Publishing: what it would draw anew, for each binding, before it does.

import { useEffect, useState } from 'preact/hooks';

import { Failure, path, request } from '../../api/client.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Note, Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { count, counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { PictureDiff } from './compare.tsx';
import './panels.css';

interface BindingForecast {
  name: string;
  images: number;
  reused: number;
  unchanged: number;
  held: number;
  removed: number;
  failingRows: number;
  failures: { key: string; code?: string; message: string; field?: string }[];
  error?: string;
  errors?: { field?: string; message: string }[];
}

interface Forecast {
  revision: number;
  base: number;
  images: number;
  reused: number;
  unchanged: number;
  held: number;
  failingRows: number;
  bindings: BindingForecast[];
}

export function Publish({ doc }: { doc: Doc }) {
  const [open, setOpen] = useState(false);
  const saving = doc.saving.value;
  return (
    <>
      <button type="button" class="button strong" disabled={!doc.loaded.value || saving === 'conflict'} onClick={() => setOpen(true)}>Publish</button>
      {open && <Plan doc={doc} close={() => setOpen(false)} />}
    </>
  );
}

function Plan({ doc, close }: { doc: Doc; close: () => void }) {
  const [plan, setPlan] = useState<{ forecast: Forecast; etag: string }>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [pictures, setPictures] = useState(false);
  const [round, setRound] = useState(0);
  const where = path`/templates/${doc.id}/publish`;
  const saved = doc.saving.value === 'saved', revision = doc.revision.value;
  useEffect(() => {
    if (!saved) return undefined;
    const stop = new AbortController();
    setPlan(undefined);
    setError(undefined);
    request<Forecast>(where, { signal: stop.signal }).then((a) => setPlan({ forecast: a.data, etag: a.etag }), (e: unknown) => stop.signal.aborted || setError(e));
    return () => stop.abort();
  }, [saved, revision, round]);
  const over = error instanceof Failure && typeof error.body.digest === 'string' ? error.body.digest : undefined;
  const publish = async (against?: string) => {
    setBusy(true);
    try {
      const { data } = await request<{ version: { version: number }; changed: boolean; fileError?: string }>(where, { method: 'POST', ifMatch: plan?.etag ?? `"${revision}"`, body: { author: doc.author || undefined, over: against } });
      toast(data.changed ? `Version ${data.version.version} is published.` : `It is version ${data.version.version} already.`);
      if (data.fileError) toast(data.fileError);
      await doc.reload();
      close();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const f = plan?.forecast;
  const broken = f?.bindings.filter((b) => b.error) ?? [];
  return (
    <Dialog wide title={`Publish ${doc.manifest.value.name || doc.id}`} close={close}>
      {!saved && <Note level="warn">What you did last is not saved yet. This goes on when it is.</Note>}
      {error !== undefined && <Trouble error={error} again={() => setRound(round + 1)} />}
      {saved && !f && error === undefined && <p role="status" class="soft">Counting what would be drawn anew …</p>}
      {f && (
        <>
          <p class="publish-sum" role="status"><b>{counted(f.images, 'image')}</b> will be made again{f.reused > 0 && <>, {counted(f.reused, 'image')} become pictures that are made already</>}; {count(f.unchanged)} stay as they are.</p>
          {f.held > 0 && <Note level="warn">A guard holds the change of {counted(f.held, 'image')} until somebody accepts it.</Note>}
          {f.failingRows > 0 && <Note level="error"><p><strong>{counted(f.failingRows, 'row')} would fail.</strong></p><p>Their images stay as they are. “Check all rows” under Data leads to each.</p></Note>}
          {broken.length > 0 && <Note level="error"><p><strong>{counted(broken.length, 'binding')} could not work any more.</strong></p>{broken.map((b) => <p key={b.name}>{b.name}: {b.error}</p>)}</Note>}
          {f.bindings.length === 0 ? <p class="soft">No binding draws this template, so that nothing is drawn now. <a href={`/studio/bindings/new?template=${encodeURIComponent(doc.id)}`}>Make a binding</a> when it is published.</p> : (
            <div class="table"><table>
              <thead><tr><th scope="col">Binding</th><th scope="col" class="number">made again</th><th scope="col" class="number">made already</th><th scope="col" class="number">stay</th><th scope="col" class="number">held</th><th scope="col" class="number">removed</th><th scope="col" class="number">failing rows</th></tr></thead>
              <tbody>{f.bindings.map((b) => (
                <tr key={b.name}><td><a href={`/studio/bindings/${encodeURIComponent(b.name)}`}>{b.name}</a>{b.failures.slice(0, 3).map((x) => <p key={x.key} class="wrong small">{x.key}: {x.message}</p>)}</td>
                  {[b.images, b.reused, b.unchanged, b.held, b.removed, b.failingRows].map((n, i) => <td key={i} class="number">{count(n)}</td>)}</tr>
              ))}</tbody>
            </table></div>
          )}
          {doc.base.value > 0 && (pictures ? <PictureDiff doc={doc} version="draft" against="published" /> : <p><button type="button" class="button" onClick={() => setPictures(true)}>See the row in view before and after</button></p>)}
        </>
      )}
      <div class="actions">
        <button type="button" class="button" onClick={close}>Not yet</button>
        {over && <button type="button" class="button danger" disabled={busy} onClick={() => void publish(over)}>Publish over it</button>}
        <button type="button" class="button strong" disabled={!f || busy || !saved} onClick={() => void publish()}>{f && f.images > 0 ? `Publish and make ${counted(f.images, 'image')}` : 'Publish'}</button>
      </div>
    </Dialog>
  );
}
