// The picture of a variant: the one that is shown to people, or a sketch of it
// that is not kept.

import { useEffect, useState } from 'preact/hooks';

import { path, post } from '../../api/client.ts';
import { nameOf, type VariantState } from '../../api/experiments.ts';
import type { Variable } from '../../api/work.ts';
import { useTemplate } from '../templates/about.tsx';

interface Sketch {
  image: string; // a data: address
  width: number;
  height: number;
  warnings: { code: string; layer: string; message: string }[];
}

const drawn = new Map<string, Promise<Sketch>>();
const kept = 60;

function sketch(template: string, body: object): Promise<Sketch> {
  const key = JSON.stringify([template, body]);
  const had = drawn.get(key);
  if (had) return had;
  if (drawn.size >= kept) drawn.delete(drawn.keys().next().value!);
  const picture = post<Sketch>(path`/templates/${template}/draft/render`, body);
  drawn.set(key, picture);
  picture.catch(() => drawn.delete(key));
  return picture;
}

/** examplesOf are the values that a template shows itself with. */
export const examplesOf = (variables: Variable[] | undefined): Record<string, unknown> => Object.fromEntries((variables ?? []).flatMap((v) => {
  const value = v.example ?? v.default;
  return value === undefined || value === null ? [] : [[v.name, value]];
}));

/** underOf is what stands under a variant's own variables in a sketch of it: an example row where rows bring the rest, else only what must be given and is not. */
export const underOf = (variables: Variable[] | undefined, rows: boolean | undefined): Record<string, unknown> => examplesOf(rows ? variables : variables?.filter((v) => v.required));

/** useSketch draws a template with variables as soon as they rest; nothing is drawn of a null. */
export function useSketch(template: string, body: { size?: string | undefined; theme?: string | undefined; variables: Record<string, unknown> } | null, rest = 0): { sketch?: Sketch; error?: unknown } {
  const [state, setState] = useState<{ sketch?: Sketch; error?: unknown }>({});
  const key = body && JSON.stringify([template, body]);
  useEffect(() => {
    if (!key || !body) return undefined;
    let mine = true;
    const wait = setTimeout(() => sketch(template, { version: 'published', ...body }).then(
      (picture) => mine && setState({ sketch: picture }),
      (error: unknown) => mine && setState((s) => ({ ...s, error })),
    ), rest);
    return () => {
      mine = false;
      clearTimeout(wait);
    };
  }, [key]);
  return state;
}

/** VariantPicture shows a variant as people get it, in a frame of a fixed shape. */
export function VariantPicture({ of: v, rows }: { of: VariantState; rows: boolean | undefined }) {
  const sent = v.imageUrl ? new URL(v.imageUrl, location.href) : null;
  const [gone, setGone] = useState('');
  const src = sent ? sent.pathname + sent.search : '';
  if (src && src !== gone) return <span class="variant-frame"><img src={src} alt={`${nameOf(v)} as it is shown`} loading="lazy" decoding="async" onError={() => setGone(src)} /></span>;
  return <Sketched of={v} rows={rows} />;
}

function Sketched({ of: v, rows }: { of: VariantState; rows: boolean | undefined }) {
  const template = useTemplate(v.templateUid, 0);
  const { sketch: picture, error } = useSketch(v.templateUid, template.data ? { size: v.size || undefined, theme: v.theme || undefined, variables: { ...underOf(template.data.variables, rows), ...v.variables } } : null);
  if (picture) return <span class="variant-frame"><img src={picture.image} alt={`${nameOf(v)} as it would be drawn`} /></span>;
  const why = error ?? template.error;
  return <span class="variant-frame"><span class="small soft">{why === undefined ? 'Drawing …' : `No picture: ${why instanceof Error ? why.message : String(why)}`}</span></span>;
}
