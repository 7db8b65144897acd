// Templates, each with a picture of how it looks now.

import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';

import { path, query } from '../../api/client.ts';
import { overview } from '../../api/live.ts';
import { editOf, freeName, pictureOf } from '../../api/templates.ts';
import type { Template } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Grid } from '../../ui/grid.tsx';
import { usePages } from '../../ui/paged.ts';
import { Empty, Trouble, When } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { Filters } from '../filterbar.tsx';
import { LintBadge, useTemplate } from './about.tsx';
import { NewTemplate } from './new.tsx';
import { TemplateActions } from './actions.tsx';
import './templates.css';

interface TemplateList {
  templates: Template[];
  nextAfter: string | null;
}

const read = (p: TemplateList) => ({ items: p.templates, next: p.nextAfter });
const idOf = (t: Template) => t.uid;

export function Templates() {
  const [filters, set] = useFilters();
  const { route } = useLocation();
  const [making, setMaking] = useState(false);
  const list = usePages<TemplateList, Template>(`/templates${query({ q: filters.q, limit: 100 })}`, read, idOf, 'after');
  return (
    <Page title="Templates" actions={<button type="button" class="button strong" onClick={() => setMaking(true)}>New template</button>}>
      <Filters filters={[{ name: 'q', label: 'Name', placeholder: 'Part of a name' }]} values={filters} set={set} />
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      <Grid label="Templates" items={list.items} id={idOf} least={16} ratio={0.6} low={7.6} more={list.more}>
        {(t) => <Card template={t} all={list.items} again={list.again} />}
      </Grid>
      {list.loading && list.items.length === 0 && <p class="soft" role="status">Looking for templates …</p>}
      {list.ended && list.items.length === 0 && (filters.q
        ? <Empty title="No template has this in its name"><button type="button" class="button" onClick={() => set({ q: '' })}>Take the filter away</button></Empty>
        : <Empty title="There is no template yet" command="pictifyd new card --from product-card"><p>A template is an HTML file that says how an image looks. <button type="button" class="button" onClick={() => setMaking(true)}>New template</button> begins one here; on the machine it is:</p></Empty>)}
      {making && <NewTemplate suggest={(base) => freeName(base, list.items)} close={() => setMaking(false)} made={(name) => route(editOf(name))} />}
    </Page>
  );
}

function Card({ template, all, again }: { template: Template; all: Template[]; again: () => void }) {
  const about = useTemplate(template.uid, template.version);
  const [lost, setLost] = useState(false);
  const bindings = (overview.value?.bindings ?? []).filter((b) => b.template === template.uid).length;
  const sizes = about.data?.sizes ?? [];
  return (
    <article class="template card">
      <a class="frame" href={path`/studio/templates/${template.uid}`} aria-label={template.uid}>
        {lost ? <span class="soft small">It can’t be drawn: see what lint says</span> : <img src={pictureOf(template.uid, template.version)} alt="" loading="lazy" decoding="async" onError={() => setLost(true)} />}
      </a>
      <div class="spread"><strong class="clip" title={template.uid}>{template.uid}</strong><LintBadge name={template.uid} version={template.version} /></div>
      <div class="small soft clip" title={sizes.map((s) => `${s.name} ${s.width} × ${s.height}`).join(', ')}>
        {sizes.length > 0 ? sizes.map((s) => `${s.width} × ${s.height}`).join(', ') : ' '}
      </div>
      <div class="small soft clip">
        Version {template.version}, <When time={template.createdAt} /> · {bindings > 0 ? <a href={`/studio/bindings${query({ template: template.uid })}`}>{counted(bindings, 'binding')}</a> : 'no binding'}
      </div>
      <div class="row">
        <a class="button" href={editOf(template.uid)}>Edit</a>
        <TemplateActions name={template.uid} suggest={(base) => freeName(base, all)} gone={again} made={again} />
      </div>
    </article>
  );
}
