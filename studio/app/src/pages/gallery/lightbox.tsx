// One image, large, with what it is made of.

import { useState } from 'preact/hooks';

import { path, post, query } from '../../api/client.ts';
import { type AboutImage, type Place, warningName } from '../../api/gallery.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useLoad } from '../../ui/load.ts';
import { Copy, Mark, Note, Trouble, When } from '../../ui/show.tsx';
import { bytes, counted, span } from '../../ui/words.ts';
import { Values } from '../values.tsx';
import { Compare } from './compare.tsx';

const causes: Record<string, string> = { row: 'the row changed', template: 'the template changed', options: 'options of the binding changed' };

/** Lightbox shows the image of a place; before and after go to its neighbours. */
export function Lightbox({ place, close, before, after }: { place: Place; close: () => void; before?: (() => void) | undefined; after?: (() => void) | undefined }) {
  const about = useLoad<AboutImage>(`${path`/images/${place.file}/about`}${query({ binding: place.binding, job: place.job, key: place.key, output: place.output })}`);
  const [comparing, setComparing] = useState(false);
  const data = about.data;
  const src = `/images/${place.file}`;
  const key = (e: KeyboardEvent) => {
    if (e.target instanceof HTMLInputElement) return;
    if (e.key === 'ArrowLeft') before?.();
    if (e.key === 'ArrowRight') after?.();
  };
  return (
    <Dialog title={data?.image.name ?? 'Image'} wide close={close}>
      <div class="lightbox" onKeyDown={key}>
        <div class="stage">
          {comparing && data?.previous
            ? <Compare before={{ src: data.previous.path, name: `generation ${data.previous.generation}` }} after={{ src, name: `generation ${data.image.generation}` }} />
            : place.file.endsWith('.pdf')
              ? <div class="picture"><a class="button strong" href={src} target="_blank" rel="noopener">Open the PDF</a></div>
              : <div class="picture"><img src={src} alt={data ? `${data.image.name}, ${data.image.output}` : ''} /></div>}
          <div class="spread">
            <div class="row">
              <button type="button" class="button" disabled={!before} onClick={before}>← Newer</button>
              <button type="button" class="button" disabled={!after} onClick={after}>Older →</button>
            </div>
            <div class="row">
              {data?.previous && !place.file.endsWith('.pdf') && <button type="button" class="button" aria-pressed={comparing} onClick={() => setComparing(!comparing)}>Compare with the previous</button>}
              <a class="button" href={src} download={`${data?.image.name ?? 'image'}.${place.file.split('.').pop()}`}>Download</a>
              <button type="button" class="button" onClick={close}>Close</button>
            </div>
          </div>
        </div>
        <div class="facing">
          {about.error !== undefined && <Trouble error={about.error} again={about.again} />}
          {data ? <Facts data={data} /> : about.error === undefined && <p class="soft">Looking it up …</p>}
        </div>
      </div>
    </Dialog>
  );
}

/** each leaves out what was said already: a text may stand on a picture more than once. */
const each = <T,>(all: T[]): T[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];

function Facts({ data }: { data: AboutImage }) {
  const { image, render, source, previous } = data;
  const again = () => post(path`/bindings/${image.binding!}/refresh`, { keys: [image.key], force: true });
  return (
    <>
      {image.warnings.length > 0 && (
        <Note level="warn">
          {image.warnings.map((w) => <p key={`${w.code}${w.layer}`}><strong>{warningName(w.code)}</strong>{w.layer && <> in <code>{w.layer}</code></>}: {w.message}</p>)}
          {image.template && <p><a href={`/studio/templates/${encodeURIComponent(image.template)}/edit`}>Mend it in the template</a></p>}
        </Note>
      )}
      <section>
        <h3>Made of</h3>
        <dl class="facts">
          <dt>Row</dt><dd><RowLink image={image} /></dd>
          <dt>Template</dt><dd>{image.template ? <><a href={path`/studio/templates/${image.template}`}>{image.template}</a> version {image.version}{image.size && `, size ${image.size}`}{image.theme && `, theme ${image.theme}`}</> : 'no longer known'}</dd>
          <dt>Picture</dt><dd>{image.width} × {image.height} {image.format}{image.bytes > 0 && `, ${bytes(image.bytes)}`}</dd>
          <dt>Output</dt><dd>{image.output}, generation {image.generation}{image.waiting && <> <span class="chip">a newer one comes</span></>}</dd>
          {data.places > 1 && <><dt>Shown at</dt><dd>{counted(data.places, 'place')}</dd></>}
          {image.stablePath && <><dt>Address</dt><dd class="row"><a class="mono wrap" href={image.stablePath}>{image.stablePath}</a><Copy text={location.origin + image.stablePath} /></dd></>}
        </dl>
      </section>
      <section>
        <h3>When</h3>
        <dl class="facts">
          <dt>Made</dt><dd><When time={image.renderedAt} />{render?.changedBy && `, because ${causes[render.changedBy] ?? render.changedBy}`}</dd>
          {render && <><dt>Drawing</dt><dd>{image.renderMs > 0 ? span(image.renderMs / 1000) : 'not known'}{render.lane && `, ${render.lane}`}{render.attempts > 1 && `, ${counted(render.attempts, 'attempt')}`}</dd></>}
          {render?.wantedAt && render.endedAt && <><dt>Waiting</dt><dd>{span(Math.max(0, (Date.parse(render.endedAt) - Date.parse(render.wantedAt) - image.renderMs) / 1000))}</dd></>}
          {source && <><dt>Source</dt><dd><a href={path`/studio/sources/${source.name}`}>{source.name}</a>, read <When time={source.readAt} />{source.position && `, at ${source.position}`}{source.state && source.state !== 'ok' && <> <Mark level={source.state === 'error' ? 'error' : 'warn'}>{source.cause ?? source.state}</Mark></>}</dd></>}
          {previous && <><dt>Before</dt><dd><a href={previous.path}>generation {previous.generation}</a>{previous.renderedAt && <>, <When time={previous.renderedAt} /></>}{previous.version ? `, version ${previous.version}` : ''}</dd></>}
        </dl>
      </section>
      {render?.changed && render.changed.length > 0 && (
        <section>
          <h3>Changed</h3>
          <dl class="values">{each(render.changed).map((c, i) => <div key={i}><dt>{c.variable ?? 'text'}</dt><dd><del class="soft">{c.before || 'nothing'}</del> → {c.after || 'nothing'}</dd></div>)}</dl>
        </section>
      )}
      {data.texts.length > 0 && <section><h3>On the picture</h3><dl class="values">{each(data.texts).map((t, i) => <div key={i}><dt>{t.variable ?? 'text'}</dt><dd>{t.text}</dd></div>)}</dl></section>}
      <section>
        <h3>{image.binding ? 'The row now' : 'The row as it was sent'}</h3>
        {data.row ? <Values of={data.row} /> : <p class="soft">The row is gone.</p>}
      </section>
      {image.binding && <div class="row"><Act act={again} done="It is read and drawn again">Read and draw again</Act></div>}
    </>
  );
}

function RowLink({ image }: { image: AboutImage['image'] }) {
  if (image.job) return <><a href={`${path`/studio/jobs/${image.job}`}${query({ key: image.key })}`}>{image.name}</a> of job <a href={path`/studio/jobs/${image.job}`}>{image.job}</a></>;
  return <><a href={`${path`/studio/bindings/${image.binding ?? ''}/rows`}${query({ key: image.key })}`}>{image.name}</a> of <a href={path`/studio/bindings/${image.binding ?? ''}`}>{image.binding}</a></>;
}
