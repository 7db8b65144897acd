// The template's files: pictures and fonts, with what each is used for.

import { useRef, useState } from 'preact/hooks';

import { path, query, request } from '../../api/client.ts';
import { useLoad } from '../../ui/load.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tick } from '../../ui/field.tsx';
import { Empty, Note, Trouble } from '../../ui/show.tsx';
import { tell, toast } from '../../ui/toast.tsx';
import { bytes } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import type { Op } from '../model.ts';
import { type FontFamily, quoted, useFonts } from '../fields/font.tsx';
import { rowsOf } from '../data/rows.ts';
import { type Asset, assetURL, upload } from './uploads.ts';
import './panels.css';

const isFont = (name: string): boolean => /\.(woff2?|ttf|otf)$/i.test(name);

/** namesIn says whether the document names a file, or a row or an example does. */
const namesIn = (doc: Doc, asset: string): boolean => doc.source.value.includes(asset);

export function Files({ doc }: { doc: Doc }) {
  const { data, error, again } = useLoad<{ assets: Asset[] }>(`${doc.path}/assets`, [Object.entries(doc.assets.value).join()]);
  const pick = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [font, setFont] = useState<File>();
  const take = async (files: Iterable<File>) => {
    setBusy(true);
    try {
      for (const file of files) {
        if (isFont(file.name)) setFont(file);
        else toast(`${(await upload(doc, file)).path} is in the template.`);
      }
    } catch (e) {
      tell(e);
    } finally {
      setBusy(false);
    }
  };
  const remove = async (asset: string) => {
    if (await doc.apply([{ op: 'set_asset', path: asset, digest: null }], { label: `Remove ${asset}` })) toast(`${asset} is removed; Undo brings it back.`);
  };
  const list = data?.assets ?? [];
  return (
    <div class="stack" onDragOver={(e) => e.preventDefault()} onDrop={(e) => { e.preventDefault(); if (e.dataTransfer) void take([...e.dataTransfer.files]); }}>
      <div class="row">
        <input ref={pick} type="file" multiple hidden accept="image/*,.woff2,.woff,.ttf,.otf" onChange={(e) => { void take([...e.currentTarget.files ?? []]); e.currentTarget.value = ''; }} />
        <button type="button" class="button" disabled={busy} onClick={() => pick.current!.click()}>{busy ? 'Sending …' : 'Upload pictures or fonts'}</button>
      </div>
      {error !== undefined && <Trouble error={error} again={again} />}
      {data && list.length === 0 && <Empty title="No files yet"><p>Drop pictures and fonts here. They become part of the template, so that it draws the same everywhere.</p></Empty>}
      <ul class="entries" aria-label="Files">
        {list.map((a) => (
          <li key={a.path} class="file">
            {isFont(a.path) ? <span class="file-picture" aria-hidden="true">Aa</span> : <img class="file-picture" src={assetURL(doc, a.path)} alt="" loading="lazy" />}
            <span class="file-words"><span class="wrap">{a.path.replace(/^assets\//, '')}</span><span class="soft small">{bytes(a.size)}{!namesIn(doc, a.path) && ', not named in the document'}</span></span>
            <button type="button" class="button plain" aria-label={`Remove ${a.path}`} disabled={namesIn(doc, a.path)} title={namesIn(doc, a.path) ? 'The document names it: take it out there first' : 'Remove'} onClick={() => void remove(a.path)}>Remove</button>
          </li>
        ))}
      </ul>
      <TemplateFonts doc={doc} />
      {font && <FontUpload doc={doc} file={font} close={() => setFont(undefined)} />}
    </div>
  );
}

const sampleOf: Record<string, string> = { Latin: 'Hamburgefonts', Cyrillic: 'Съешь же ещё', Greek: 'Ξεσκεπάζω', Arabic: 'صِف خَلقَ', Hebrew: 'דג סקרן', Han: '天地玄黃', Hiragana: 'いろはに', Katakana: 'イロハニ', Hangul: '다람쥐', Devanagari: 'ऋषियों', Thai: 'เป็นมนุษย์' };

/** TemplateFonts are the fonts that the template brings, each in the scripts of the rows. */
function TemplateFonts({ doc }: { doc: Doc }) {
  const fonts = useFonts(doc);
  const own = fonts.data?.families.filter((f) => f.origin === 'template') ?? [];
  const { data } = useLoad<{ scripts?: string[] }>(own.length > 0 ? path`/templates/${doc.id}/stress` + query({ from: rowsOf(doc).from.value === 'pasted' ? 'samples' : rowsOf(doc).from.value }) : null);
  if (own.length === 0) return null;
  return (
    <section aria-label="Fonts of the template">
      <h3>Fonts</h3>
      <ul class="entries">{own.map((f) => <FontEntry key={f.family} doc={doc} font={f} scripts={data?.scripts ?? ['Latin']} />)}</ul>
    </section>
  );
}

const loaded = new Set<string>();

/** show loads a font of the template into this page, so that its samples are set in it. */
function show(doc: Doc, font: FontFamily): void {
  for (const style of font.styles) {
    if (!style.file) continue;
    const url = assetURL(doc, style.file);
    if (loaded.has(url)) continue;
    loaded.add(url);
    const face = new FontFace(font.family, `url("${url}")`, { weight: style.weight, style: style.italic ? 'italic' : 'normal' });
    document.fonts.add(face);
    void face.load().catch(() => document.fonts.delete(face));
  }
}

function FontEntry({ doc, font, scripts }: { doc: Doc; font: FontFamily; scripts: string[] }) {
  show(doc, font);
  const missing = scripts.filter((s) => !font.scripts.includes(s));
  return (
    <li>
      <p class="font-sample" style={{ fontFamily: quoted(font.family) }}>{font.family} <span>{scripts.map((s) => sampleOf[s]).filter(Boolean).join(' ')}</span></p>
      <p class="soft small">{font.styles.map((s) => s.style || s.weight).join(', ')}</p>
      {missing.length > 0 && <p class="wrong">The rows are written in {missing.join(', ')} too, which it has no letters for.</p>}
    </li>
  );
}

interface FontFacts {
  family: string;
  style: string;
  weight: string;
  italic: boolean;
  variable: boolean;
  scripts: string[];
  glyphs: number;
  licence?: string;
  licenceUrl?: string;
  copyright?: string;
  restricted: boolean;
  path?: string;
}

/** FontUpload says what a font is and what it allows, before it becomes part of the template. */
function FontUpload({ doc, file, close }: { doc: Doc; file: File; close: () => void }) {
  const where = path`/templates/${doc.id}/draft/fonts`;
  const [error, setError] = useState<unknown>();
  const [facts, setFacts] = useState<FontFacts>();
  const [may, setMay] = useState(false);
  const [busy, setBusy] = useState(false);
  const asked = useRef(false);
  if (!asked.current) {
    asked.current = true;
    request<{ font: FontFacts }>(where + query({ dryRun: 1, name: file.name }), { method: 'POST', body: file, type: file.type || 'font/woff2', ifMatch: `"${doc.revision.value}"` }).then((a) => setFacts(a.data.font), setError);
  }
  const add = async () => {
    setBusy(true);
    try {
      const { data } = await request<{ revision: number; inverse: Op[]; font: FontFacts }>(where + query({ name: file.name }), { method: 'POST', body: file, type: file.type || 'font/woff2', ifMatch: `"${doc.revision.value}"` });
      await doc.pushed(`Add the font ${data.font.family}`, data.revision, data.inverse);
      toast(`${data.font.family} is in the template.`);
      close();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Add ${facts?.family ?? file.name}`} close={close}>
      {error !== undefined && <Trouble error={error} />}
      {facts && (
        <>
          <dl class="facts">
            <dt>Style</dt><dd>{facts.style}, weight {facts.weight}{facts.italic && ', italic'}{facts.variable && ', variable'}</dd>
            <dt>Scripts</dt><dd>{facts.scripts.join(', ') || 'none known'} ({facts.glyphs} glyphs)</dd>
            <dt>Licence</dt><dd>{facts.licence || 'The file names none'} {facts.licenceUrl && <a href={facts.licenceUrl} rel="noreferrer noopener" target="_blank">{facts.licenceUrl}</a>}</dd>
            {facts.copyright && <><dt>Copyright</dt><dd>{facts.copyright}</dd></>}
          </dl>
          {facts.restricted && <Note level="warn">The font says that it must not be embedded. Ask its maker before you use it.</Note>}
          <Tick label="I may use this font in what I make with it" checked={may} change={setMay} />
          <div class="actions"><button type="button" class="button" onClick={close}>Cancel</button><button type="button" class="button strong" disabled={!may || busy} onClick={() => void add()}>Add the font</button></div>
        </>
      )}
      {!facts && error === undefined && <p class="soft" role="status">Looking at the file …</p>}
    </Dialog>
  );
}
