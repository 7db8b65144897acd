// Two versions beside each other: their sources, and the pictures of one row.

import { useEffect, useState } from 'preact/hooks';

import { path, post, query } from '../../api/client.ts';
import { useLoad } from '../../ui/load.ts';
import { Mark, Trouble } from '../../ui/show.tsx';
import { count, percent } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { linesOf } from './diff.ts';

/** Rendered is a picture that the daemon drew, and how it differs from another. */
export interface Rendered {
  revision: number;
  version?: number;
  width: number;
  height: number;
  renderMs: number;
  image: string;
  boxes: { id: string; tag: string; x: number; y: number; width: number; height: number }[];
  boxesTruncated?: boolean;
  layers: { layer: string; fontPx: number; lines: number; clipped: boolean; cut: boolean }[];
  warnings: { code: string; layer: string; message: string }[];
  difference?: { against: string; sameSize: boolean; agree: boolean; share: number; worstTile: number; worstX: number; worstY: number; image: string; marks: string };
}

interface Comparison {
  from: number;
  to: number;
  same: boolean;
  diff: string;
  variables: { added?: string[]; removed?: string[]; changed?: string[] };
  sizes: { added?: string[]; removed?: string[]; changed?: string[] };
  assets: { added?: string[]; removed?: string[]; changed?: string[] };
}

/** SourceDiff is what turns a version into another. */
export function SourceDiff({ doc, from, to }: { doc: Doc; from: number; to: number }) {
  const { data, error, again } = useLoad<Comparison>(path`/templates/${doc.id}/versions/${from}/compare` + query({ to }));
  if (error !== undefined) return <Trouble error={error} again={again} />;
  if (!data) return <p class="soft" role="status">Comparing …</p>;
  const changes = ([['variable', data.variables], ['size', data.sizes], ['file', data.assets]] as const).flatMap(([what, c]) => [...(c.added ?? []).map((n) => `${what} ${n} is new`), ...(c.removed ?? []).map((n) => `${what} ${n} is gone`), ...(c.changed ?? []).map((n) => `${what} ${n} is changed`)]);
  return (
    <>
      {changes.length > 0 && <p>{changes.join('; ')}.</p>}
      {data.same ? <p>They are the same.</p> : <pre class="diff" tabIndex={0} aria-label={`Source of version ${from} against ${to}`}>{linesOf(data.diff).map((l, i) => <span key={i} data-kind={l.kind}><span aria-hidden="true">{{ new: '+ ', gone: '− ', same: '  ', place: '' }[l.kind]}</span><span class="hide">{{ new: 'added: ', gone: 'removed: ', same: '', place: '' }[l.kind]}</span>{l.text}{'\n'}</span>)}</pre>}
    </>
  );
}

/** PictureDiff draws the row in view with two versions, and marks where they differ. */
export function PictureDiff({ doc, version, against }: { doc: Doc; version: number | 'draft'; against: number | 'published' }) {
  const [drawn, setDrawn] = useState<Rendered>();
  const [error, setError] = useState<unknown>();
  const [shown, setShown] = useState<'new' | 'old' | 'marks'>('new');
  const [round, setRound] = useState(0);
  const { size, theme, page } = doc.order.value;
  useEffect(() => {
    let ended = false;
    setDrawn(undefined);
    setError(undefined);
    post<Rendered>(`${doc.path}/render`, { size, theme, page, variables: doc.row.value.variables, version, against }).then((d) => ended || setDrawn(d), (e: unknown) => ended || setError(e));
    return () => {
      ended = true;
    };
  }, [version, against, size, theme, page, round]);
  if (error !== undefined) return <Trouble error={error} again={() => setRound(round + 1)} />;
  if (!drawn) return <p class="soft" role="status">Drawing both …</p>;
  const d = drawn.difference;
  const name = (v: number | string) => (typeof v === 'number' ? `version ${v}` : v);
  const choices = { new: [name(version), drawn.image], old: [name(against), d?.image ?? ''], marks: ['where they differ', d?.marks ?? ''] } as const;
  return (
    <div class="picture-diff">
      <div class="row">
        <div class="segments" role="radiogroup" aria-label="Picture">{(Object.keys(choices) as (keyof typeof choices)[]).filter((k) => choices[k][1]).map((k) => <label key={k}><input type="radio" name="picture-diff" checked={shown === k} onChange={() => setShown(k)} />{choices[k][0]}</label>)}</div>
        {d && <Mark level={d.agree ? 'ok' : 'warn'}>{!d.sameSize ? 'Not of one size' : d.share === 0 ? 'Not a pixel differs' : `${percent(d.share)} of the pixels differ`}</Mark>}
      </div>
      <img src={choices[shown][1] || drawn.image} alt={`${choices[shown][0]}, ${count(drawn.width)} × ${count(drawn.height)}`} />
    </div>
  );
}
