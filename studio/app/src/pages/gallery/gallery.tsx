// The gallery: every image that there is, newest first.

import { useEffect, useRef, useState } from 'preact/hooks';

import { query as queryOf } from '../../api/client.ts';
import { type GalleryImage, type GalleryPage, placeOf, readPlace, warningNames, writePlace } from '../../api/gallery.ts';
import { changes, overview } from '../../api/live.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Grid } from '../../ui/grid.tsx';
import { usePages } from '../../ui/paged.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { Filters, type Filter } from '../filterbar.tsx';
import { Lightbox } from './lightbox.tsx';
import './gallery.css';

const names = ['binding', 'job', 'template', 'format', 'size', 'warning', 'since', 'until', 'key'] as const;
const page = 96;

const read = (p: GalleryPage) => ({ items: p.images, next: p.nextCursor });
const idOf = (i: GalleryImage) => i.id;

/** filtersOf are the choices of the gallery; those of names come from what there is. */
function filtersOf(bindings: string[], templates: string[]): Filter[] {
  return [
    { name: 'binding', label: 'Binding', any: 'Any binding', choices: bindings },
    { name: 'job', label: 'Job', placeholder: 'Id of a job' },
    { name: 'template', label: 'Template', any: 'Any template', choices: templates },
    { name: 'key', label: 'Key', placeholder: 'Key of a row' },
    { name: 'format', label: 'Format', any: 'Any format', choices: ['png', 'jpeg', 'webp', 'avif', 'gif', 'pdf'] },
    { name: 'size', label: 'Size', placeholder: 'Name of a size' },
    { name: 'warning', label: 'Warnings', any: 'With or without', choices: [{ value: 'any', label: 'Any warning' }, ...Object.entries(warningNames).map(([value, label]) => ({ value, label }))] },
    { name: 'since', label: 'Since', any: 'Any time', choices: [{ value: '15m', label: 'The last 15 minutes' }, { value: '1h', label: 'The last hour' }, { value: '24h', label: 'The last day' }, { value: '168h', label: 'The last week' }] },
    { name: 'until', label: 'Until', any: 'Now', choices: [{ value: '1h', label: 'An hour ago' }, { value: '24h', label: 'A day ago' }, { value: '168h', label: 'A week ago' }] },
  ];
}

export function Gallery() {
  const [filters, set] = useFilters();
  const asked = Object.fromEntries(names.map((n) => [n, filters[n]]));
  const list = usePages<GalleryPage, GalleryImage>(`/images${queryOf({ ...asked, limit: page })}`, read, idOf);
  const filtered = names.some((n) => filters[n]);
  const [held, setHeld] = useState(false);

  // What comes is shown at once, but not under somebody who has scrolled down.
  const change = changes.value;
  const first = useRef(change);
  useEffect(() => {
    if (change === first.current) return;
    if (scrollY > 300) setHeld(true);
    else list.fresh();
  }, [change]);
  const newest = () => {
    setHeld(false);
    scrollTo({ top: 0 });
    list.fresh();
  };

  const bindings = overview.value?.bindings ?? [];
  const templates = [...new Set([...bindings.map((b) => b.template), ...(overview.value?.jobs ?? []).map((j) => j.templateUid)])].sort();
  const open = readPlace(filters.open);
  const at = open ? list.items.findIndex((i) => i.path.endsWith(`/${open.file}`) && i.key === open.key && i.output === open.output && (i.binding ?? '') === open.binding && (i.job ?? '') === open.job) : -1;
  const show = (image: GalleryImage | undefined) => image && set({ open: writePlace(placeOf(image)) });
  return (
    <Page title="Gallery" actions={<span class="soft" role="status">{list.items.length > 0 && (list.ended ? counted(list.items.length, 'image') : `${counted(list.items.length, 'image')} so far`)}</span>}>
      <Filters filters={filtersOf(bindings.map((b) => b.name), templates)} values={filters} set={set} />
      {held && <button type="button" class="button strong newest" onClick={newest}>Show what is new</button>}
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      <Grid label="Images" items={list.items} id={idOf} least={10} ratio={0.75} low={3.1} more={list.more}>
        {(image) => <Cell image={image} open={() => show(image)} href={`/studio/images${queryOf({ ...filters, open: writePlace(placeOf(image)) })}`} />}
      </Grid>
      {list.loading && <p class="soft" role="status">{list.items.length ? 'More images …' : 'Looking for images …'}</p>}
      {list.ended && list.items.length === 0 && (filtered
        ? <Empty title="No image fits these filters"><button type="button" class="button" onClick={() => set(Object.fromEntries(names.map((n) => [n, ''])))}>Take the filters away</button></Empty>
        : <Empty title="There is no image yet" command={`curl -X POST ${location.origin}/templates/NAME/batch-render \\\n  -H 'Content-Type: text/csv' --data-binary @rows.csv`}><p>Images come from bindings and from batches. <a href="/studio/batch">Drop a CSV</a>, or send one:</p></Empty>)}
      {open && (
        <Lightbox place={open} close={() => set({ open: '' })}
          before={at > 0 ? () => show(list.items[at - 1]) : undefined}
          after={at >= 0 && at < list.items.length - 1 ? () => show(list.items[at + 1]) : undefined} />
      )}
    </Page>
  );
}

function Cell({ image, open, href }: { image: GalleryImage; open: () => void; href: string }) {
  const warnings = image.warnings.length;
  const from = image.binding ?? (image.job ? `job ${image.job}` : '');
  const click = (e: MouseEvent) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return; // a tab of its own
    e.preventDefault();
    e.stopPropagation();
    open();
  };
  return (
    <a class="shot" href={href} onClick={click} aria-label={`${image.name}, ${image.output}${from && `, ${from}`}${warnings ? `, ${counted(warnings, 'warning')}` : ''}`}>
      <span class="frame">
        {image.format === 'pdf' ? <span class="paper">PDF</span> : <img src={image.path} alt="" loading="lazy" decoding="async" width={image.width} height={image.height} />}
        {warnings > 0 && <span class="chip" data-level="warn">{counted(warnings, 'warning')}</span>}
        {image.waiting && <span class="chip">A newer one comes</span>}
      </span>
      <span class="clip name">{image.name}</span>
      <span class="clip soft small"><When time={image.renderedAt} /> · {image.binding ?? (image.template || image.output)}</span>
    </a>
  );
}
