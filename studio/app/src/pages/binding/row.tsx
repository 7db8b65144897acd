// All about one row: its images and why they look so, its values, who was told,
// and what can be done with it.

import { Failure, path, post, request } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Deletion, RowHistory } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useLoad } from '../../ui/load.ts';
import { Copy, type Level, Mark, Note, Trouble, When } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { Fields } from '../../ui/value.tsx';
import { bytes, span } from '../../ui/words.ts';

const states: Record<string, [Level, string]> = { ready: ['ok', 'Ready'], waiting: ['busy', 'Waits for its picture'], failed: ['error', 'Could not be drawn'], removed: ['quiet', 'Has no picture'] };
const because: Record<string, string> = { row: 'the row has other values', template: 'the template has another version', options: 'the output has other options' };
const delivered: Record<string, Level> = { delivered: 'ok', waiting: 'busy', claimed: 'busy', dead: 'error', discarded: 'quiet', superseded: 'quiet' };

export function RowSheet({ of: b, rowKey, close, changed }: { of: Binding; rowKey: string; close: () => void; changed: () => void }) {
  const at = `${path`/bindings/${b.name}`}/rows/${rowKey}`; // a key is percent-encoded as it is
  const { data, error, again } = useLoad<{ row: RowHistory }>(at, [changes.value]);
  const none = error instanceof Failure && error.status === 404;
  const row = none ? undefined : data?.row;
  const done = () => {
    changed();
    again();
  };
  return (
    <Dialog title={row?.name ?? decodeURIComponent(rowKey)} wide close={close}>
      {none && <Note><p>There is no such row, or no more. One that was deleted and forgotten comes back with Recall, if the source still has it.</p></Note>}
      {error !== undefined && !none && !row && <Trouble error={error} again={again} />}
      {row && <History of={row} binding={b} />}
      <div class="actions">
        {row && !row.gone && <Act act={() => post(`${path`/bindings/${b.name}`}/refresh`, { keys: [rowKey] })} done="The source is asked for the row" then={done}>Read again</Act>}
        {row && !row.gone && <Act act={() => post(`${path`/bindings/${b.name}`}/refresh`, { keys: [rowKey], force: true })} done="It is drawn again" then={done}>Draw again</Act>}
        {(!row || row.gone) && <Act act={() => post(`${at}/recall`)} done="It comes back when the source is read" then={done}>Recall</Act>}
        {row && !row.gone && <Remove at={at} name={row.name} then={done} />}
        {row && !row.gone && <Remove at={`${at}?forget=permanent`} name={row.name} forget then={done} />}
        <button type="button" class="button" onClick={close}>Close</button>
      </div>
    </Dialog>
  );
}

/** Remove deletes a row with its images; what else there is to do, it says. */
function Remove({ at, name, forget, then }: { at: string; name: string; forget?: boolean; then: () => void }) {
  const act = async () => {
    const { data } = await request<Deletion>(at, { method: 'DELETE' });
    for (const note of data.notes ?? []) toast(note);
  };
  const question = forget
    ? <p>Its values, images and renders go, and it stays away although the source may still have it, until somebody recalls it.</p>
    : <p>Its values, images and renders go. If the source still has the row, it comes back when it is read.</p>;
  return <Act kind="danger" act={act} done={`${name} is deleted`} then={then} confirm={{ title: forget ? `Delete and forget ${name}?` : `Delete ${name}?`, question }}>{forget ? 'Delete and forget' : 'Delete'}</Act>;
}

function History({ of: r, binding: b }: { of: RowHistory; binding: Binding }) {
  const [level, word] = states[r.state] ?? ['quiet', r.gone ? 'Gone' : 'Without a picture'];
  return (
    <>
      <p class="row"><Mark level={level}>{word}</Mark>{r.missing && <span class="chip" data-level="warn">gone from the source, kept until its grace has passed</span>}<a href={`/studio/images?binding=${encodeURIComponent(b.name)}&key=${encodeURIComponent(r.key)}`}>In the gallery</a></p>
      {r.problem && <Note level="error"><p><strong>{r.problem.error}</strong></p><p>Mend the row at its source, or the template: it is drawn again by itself.</p></Note>}
      <div class="outputs">{r.images.map((i) => <Picture key={i.output} of={i} />)}</div>
      <div class="pair">
        <section aria-labelledby="values"><h3 id="values">Values</h3>{r.values ? <Fields row={r.values} /> : <p class="soft">They are not kept any more.</p>}</section>
        <section aria-labelledby="from"><h3 id="from">Where it comes from</h3>
          <dl class="facts">
            <dt>Source</dt><dd><a href={`/studio${path`/sources/${r.source.name}`}`}>{r.source.name}</a>{r.source.cause && <>: {r.source.cause}</>}</dd>
            <dt>Version of the row</dt><dd>{r.version ?? '–'}</dd>
            <dt>Read</dt><dd><When time={r.source.readAt} /></dd>
            <dt>Confirmed</dt><dd><When time={r.source.confirmedAt} /></dd>
            {r.source.askedAt && <><dt>Asked for alone</dt><dd><When time={r.source.askedAt} /></dd></>}
            {r.source.position && <><dt>Position</dt><dd class="mono wrap">{r.source.position}</dd></>}
          </dl>
        </section>
      </div>
      <section aria-labelledby="told">
        <h3 id="told">Who was told</h3>
        {r.deliveries.length === 0 && <p class="soft">Nobody{b.sinks.length > 0 ? ' yet' : ': the binding has no sink'}.</p>}
        <ul class="stack tight">{r.deliveries.map((d) => (
          <li key={d.id} class="row"><Mark level={delivered[d.state] ?? 'quiet'}>{d.state}</Mark><a href={`/studio/deliveries?id=${d.id}`}>{d.event} → {d.sink}</a><span class="soft small"><When time={d.endedAt ?? d.createdAt} />{d.attempts > 1 && `, ${d.attempts} attempts`}</span>{d.error && <span class="small wrap">{d.error}</span>}</li>
        ))}</ul>
      </section>
    </>
  );
}

function Picture({ of: i }: { of: RowHistory['images'][number] }) {
  const src = i.url && new URL(i.url, location.origin).pathname;
  return (
    <figure>
      {src && i.format !== 'pdf' && <a href={src} target="_blank" rel="noopener"><img src={src} alt={`The image ${i.output}`} /></a>}
      {src && i.format === 'pdf' && <a href={src} target="_blank" rel="noopener">Open the PDF</a>}
      <figcaption class="stack tight">
        <span><strong>{i.output}</strong> {i.waiting && <Mark level="busy">a newer one is wanted</Mark>} {i.url && <Copy text={i.url}>Copy URL</Copy>}</span>
        {i.problem && <span class="wrap">{i.problem.error}</span>}
        {i.width && <span class="soft">{i.width} × {i.height}, {i.format}, drawn <When time={i.renderedAt} /></span>}
        {i.render && <span class="soft">template version {i.render.templateVersion}, {i.render.durationMs ? span(i.render.durationMs / 1000) : i.render.state}{i.render.bytes ? `, ${bytes(i.render.bytes)}` : ''}</span>}
        {i.render?.changedBy && <span>Redrawn because {because[i.render.changedBy] ?? i.render.changedBy}</span>}
        {i.render?.changed?.map((c, n) => <span key={n}>{c.variable && <code>{c.variable}: </code>}<del class="wrap">{c.before}</del> <ins class="wrap">{c.after}</ins></span>)}
      </figcaption>
    </figure>
  );
}
