// One template: how it looks, what rows must bring, who uses it, and its versions.

import { useLocation } from 'preact-iso';

import { path, query } from '../../api/client.ts';
import { addressOf, type Experiment } from '../../api/experiments.ts';
import { overview } from '../../api/live.ts';
import { editOf, freeName, pictureOf } from '../../api/templates.ts';
import type { Template as TemplateState } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { Select } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Note, Trouble, When } from '../../ui/show.tsx';
import { inWords } from '../values.tsx';
import { useDraft } from './about.tsx';
import { TemplateActions } from './actions.tsx';
import { Versions } from './versions.tsx';
import './templates.css';

export function TemplateDetail({ id }: { id: string }) {
  const { route } = useLocation();
  const answer = useLoad<{ template: TemplateState }>(path`/templates/${id}`);
  const all = useLoad<{ templates: TemplateState[] }>('/templates');
  const template = answer.data?.template;
  return (
    <Page title={id} over={<a href="/studio/templates">Templates</a>} actions={template && (
      <>
        <a class="button strong" href={editOf(id)}>Edit</a>
        <TemplateActions name={id} suggest={(base) => freeName(base, all.data?.templates ?? [])} gone={() => route('/studio/templates')} made={(name) => route(path`/studio/templates/${name}`)} />
      </>
    )}>
      {answer.error !== undefined && <Trouble error={answer.error} again={answer.again} />}
      {!template && answer.error === undefined && <p class="soft" role="status">Looking it up …</p>}
      {template && <Body template={template} />}
    </Page>
  );
}

function Body({ template }: { template: TemplateState }) {
  const [filters, set] = useFilters();
  const name = template.uid;
  const draft = useDraft(name, template.version).data?.draft;
  const sizes = template.sizes ?? [];
  const size = filters.size ?? sizes[0]?.name ?? '';
  const shown = (useLoad<{ experiments: Experiment[] }>('/experiments').data?.experiments ?? []).filter((e) => e.variants.some((v) => v.templateUid === name)); // none for a key that may not see them
  const used = (overview.value?.bindings ?? []).filter((b) => b.template === name);
  const variables = template.variables ?? [];
  return (
    <>
      {draft?.open && <Note><p>There is a draft by {draft.author || 'somebody'}, changed <When time={draft.updatedAt} />. What is shown here is published. <a href={editOf(name)}>Open the draft</a></p></Note>}
      {draft && draft.problems.length > 0 && (
        <Note level={draft.problems.some((p) => p.fatal) ? 'error' : 'warn'}>
          {draft.problems.slice(0, 8).map((p, i) => <p key={i}><strong>{p.message}</strong>{p.line ? ` (line ${p.line})` : ''}{p.hint && <span class="soft"> {p.hint}</span>}</p>)}
          {draft.problems.length > 8 && <p>… and {draft.problems.length - 8} more</p>}
          <p><a href={editOf(name)}>Mend it in the editor</a></p>
        </Note>
      )}
      <div class="template-top">
        <section class="card stack" aria-label="Picture">
          <div class="spread">
            <h2>As it is now</h2>
            {sizes.length > 1 && <Select aria-label="Size" value={size} change={(v) => set({ size: v })} choices={sizes.map((s) => ({ value: s.name, label: `${s.label ?? s.name}, ${s.width} × ${s.height}` }))} />}
          </div>
          <img class="whole" src={pictureOf(name, template.version, { size })} alt={`${name} with a sample row${size && `, size ${size}`}`} />
        </section>
        <div class="stack">
          <section class="card">
            <h2>Used by</h2>
            {used.length === 0 && <p class="soft small">No binding{shown.length === 0 && ' and no experiment'}. <a href={`/studio/batch${query({ template: name })}`}>Send a batch</a>, or <a href={`/studio/bindings/new${query({ template: name })}`}>bind rows to it</a>, or <a href={`/studio/experiments/new${query({ template: name })}`}>compare variants of it</a>.</p>}
            <ul class="stack small">{used.map((b) => <li key={b.name}><a href={path`/studio/bindings/${b.name}`}>{b.name}</a> <span class="soft">rows of {b.source}</span></li>)}{shown.map((e) => <li key={e.id}><a href={addressOf(e)}>{e.name}</a> <span class="soft">experiment</span></li>)}</ul>
            <p class="row small"><a href={`/studio/images${query({ template: name })}`}>Images</a><a href={`/studio/jobs${query({ template: name })}`}>Jobs</a><a href={`/studio/batch${query({ template: name })}`}>New batch</a></p>
          </section>
          <section class="card">
            <h2>What rows must bring</h2>
            {variables.length === 0 ? <p class="soft small">Nothing: it has no variables.</p> : (
              <ul class="variables">
                {variables.map((v) => <li key={v.name}><div class="spread"><code>{v.name}</code><span class="row"><span class="chip">{v.type}</span>{v.required && <span class="chip" data-level="ok">required</span>}</span></div>{(v.description || v.example !== undefined) && <div class="small soft wrap">{v.description}{v.example !== undefined && ` e. g. ${inWords(v.example).slice(0, 120)}`}</div>}</li>)}
              </ul>
            )}
          </section>
        </div>
      </div>
      <Versions template={template} size={size} />
    </>
  );
}
