// The daemon's own picture over the canvas: seen through, or as the difference,
// with the boxes that the two put elsewhere.

import { useEffect, useRef, useState } from 'preact/hooks';

import { post } from '../../api/client.ts';
import { Field, Tick } from '../../ui/field.tsx';
import { Empty, Mark, Trouble } from '../../ui/show.tsx';
import { Table } from '../../ui/table.tsx';
import { count, counted, span } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { addressOf } from '../frame.ts';
import type { Rendered } from '../panels/compare.tsx';

interface Apart {
  index: number;
  name: string;
  address: string;
  by: number; // px, the largest of the four sides
  here: string;
  there: string;
}

const tolerance = 0.75; // px: below that two browsers round

/** apart are the elements that the canvas has elsewhere than the picture. */
function apart(doc: Doc, boxes: Rendered['boxes']): { list: Apart[]; compared: number; same: boolean } {
  const elements = [...doc.frame?.document.querySelectorAll('body *') ?? []];
  const list: Apart[] = [];
  const n = Math.min(elements.length, boxes.length);
  for (let i = 0; i < n; i++) {
    const el = elements[i]!, there = boxes[i]!;
    const here = el.getBoundingClientRect();
    const by = Math.max(Math.abs(here.x - there.x), Math.abs(here.y - there.y), Math.abs(here.width - there.width), Math.abs(here.height - there.height));
    if (by <= tolerance) continue;
    const words = (r: { x: number; y: number; width: number; height: number }) => [r.x, r.y, r.width, r.height].map((v) => Math.round(v * 10) / 10).join(', ');
    const node = el.closest('[data-p-node]');
    list.push({ index: i, name: there.id || there.tag, address: node ? addressOf(node) : '', by, here: words(here), there: words(there) });
  }
  return { list: list.sort((a, b) => b.by - a.by), compared: n, same: elements.length === boxes.length };
}

export function TrueRender({ doc }: { doc: Doc }) {
  const [drawn, setDrawn] = useState<Rendered>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [opacity, setOpacity] = useState(100);
  const [difference, setDifference] = useState(true);
  const [follows, setFollows] = useState(true);
  const over = useRef<HTMLImageElement | undefined>(undefined);
  const order = doc.order.value, revision = doc.revision.value, saved = doc.saving.value === 'saved';
  const round = useRef(0);
  const fits = drawn !== undefined && drawn.width === doc.view.value?.width && drawn.height === doc.view.value.height; // not of a size that was left
  const draw = async () => {
    const mine = ++round.current;
    setBusy(true);
    try {
      const next = await post<Rendered>(`${doc.path}/render`, { size: order.size, theme: order.theme, page: order.page, variables: doc.row.value.variables });
      if (mine !== round.current) return;
      setDrawn(next);
      setError(undefined);
    } catch (e) {
      if (mine === round.current) setError(e);
    } finally {
      if (mine === round.current) setBusy(false);
    }
  };
  useEffect(() => {
    if (!follows || !saved) return undefined;
    const timer = setTimeout(() => void draw(), 400);
    return () => clearTimeout(timer);
  }, [follows, saved, revision, order, doc.row.value]);
  useEffect(() => {
    const sheet = doc.frame?.iframe.parentElement;
    if (!sheet || !drawn || !fits) return undefined;
    const img = over.current ?? document.createElement('img');
    over.current = img;
    img.className = 'true-render';
    img.alt = '';
    img.src = drawn.image;
    doc.frame!.iframe.after(img);
    return () => img.remove();
  }, [drawn, fits]);
  useEffect(() => {
    const img = over.current;
    if (!img) return;
    img.style.opacity = String(opacity / 100);
    img.style.mixBlendMode = difference ? 'difference' : 'normal';
  }, [opacity, difference, drawn, fits]);
  const compared = drawn && fits ? apart(doc, drawn.boxes) : undefined;
  void doc.drawn.value;
  return (
    <div class="true-panel">
      <div class="row">
        <button type="button" class="button" disabled={busy} onClick={() => void draw()}>{busy ? 'Drawing …' : 'Draw now'}</button>
        <Tick label="After each change" checked={follows} change={setFollows} />
        <Tick label="As the difference" checked={difference} change={setDifference} />
        <Field label={`Opacity ${opacity} %`}><input type="range" min={0} max={100} value={opacity} onInput={(e) => setOpacity(Number(e.currentTarget.value))} /></Field>
        {drawn && <span class="soft" role="status">Revision {drawn.revision}, {count(drawn.width)} × {count(drawn.height)}, in {span(drawn.renderMs / 1000)}</span>}
      </div>
      {error !== undefined && <Trouble error={error} again={() => void draw()} />}
      {!drawn && error === undefined && <Empty title="The picture as it will be"><p>The daemon’s own Chrome draws the row in view; it is laid over the canvas. As the difference, black is where both agree.</p></Empty>}
      {compared && (
        <>
          <p class="row">
            {compared.list.length === 0 && compared.same ? <Mark level="ok">All {counted(compared.compared, 'box', 'boxes')} stand in the same place</Mark> : <Mark level="warn">{compared.list.length} of {counted(compared.compared, 'box', 'boxes')} stand elsewhere{compared.same ? '' : `; the canvas has not the same elements (${revision === drawn!.revision ? 'tell the makers' : 'draw again'})`}</Mark>}
            {drawn!.warnings.map((w, i) => <span key={i} class="chip" data-level="warn">{w.layer}: {w.message}</span>)}
          </p>
          {compared.list.length > 0 && <Table label="Boxes that stand elsewhere" rows={compared.list} id={(a) => String(a.index)} open={(a) => a.address && doc.select([a.address])} columns={[
            { name: 'Layer', cell: (a) => <button type="button" class="button plain" onClick={() => doc.select([a.address])}>{a.name}</button> },
            { name: 'By', number: true, cell: (a) => `${Math.round(a.by * 10) / 10} px` },
            { name: 'On the canvas (x, y, w, h)', cell: (a) => <span class="mono">{a.here}</span> },
            { name: 'In the picture', cell: (a) => <span class="mono">{a.there}</span> },
          ]} />}
        </>
      )}
    </div>
  );
}
