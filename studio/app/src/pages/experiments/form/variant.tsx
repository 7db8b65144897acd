// One variant in the form: its template, what it sets, when it is shown, and how
// it looks.

import type { Experiment } from '../../../api/experiments.ts';
import type { Template } from '../../../api/work.ts';
import { Field, Input, Select } from '../../../ui/field.tsx';
import { Note } from '../../../ui/show.tsx';
import { useTemplate } from '../../templates/about.tsx';
import { examplesOf, underOf, useSketch } from '../picture.tsx';
import { ConditionGroup } from './conditions.tsx';
import type { Draft, DraftVariant } from './draft.ts';
import { ScheduleFields } from './schedule.tsx';
import { VariableField } from './variables.tsx';

/** Look is the variant as it would be drawn, and what is missing. */
function Look({ of: v, template, rows }: { of: DraftVariant; template: Template; rows: boolean }) {
  const { sketch, error } = useSketch(v.templateUid, { size: v.size || undefined, theme: v.theme || undefined, variables: { ...underOf(template.variables, rows), ...v.variables } }, 600);
  return (
    <div class="stack tight">
      <span class="variant-frame large">{sketch ? <img src={sketch.image} alt={`${v.name} as it would be drawn`} /> : <span class="small soft">{error === undefined ? 'Drawing …' : 'No picture'}</span>}</span>
      {error !== undefined && <Note level="warn"><p>{error instanceof Error ? error.message : String(error)}</p></Note>}
      {sketch?.warnings.slice(0, 3).map((w) => <span key={w.code + w.layer} class="small soft wrap">{w.message}</span>)}
    </div>
  );
}

export function VariantFields({ of: v, at, draft, templates, change, control, drop, copy, wrong, frozen }: {
  of: DraftVariant; at: number; draft: Draft; templates: Template[]; change: (c: Partial<DraftVariant>) => void; control: () => void; drop?: () => void; copy?: () => void;
  wrong: (field: string) => string | undefined; frozen: Experiment | undefined;
}) {
  const template = useTemplate(v.templateUid, 0);
  const known = v.templateUid ? template.data : undefined;
  const sizes = known?.sizes ?? [], themes = known?.themes ?? [], variables = known?.variables ?? [];
  const set = (name: string, value: unknown) => change({ variables: value === undefined ? Object.fromEntries(Object.entries(v.variables).filter(([n]) => n !== name)) : { ...v.variables, [name]: value } });
  const missing = variables.filter((one) => one.required && v.variables[one.name] === undefined);
  const group = v.conditions?.type === 'group' ? v.conditions : v.conditions ? { type: 'group' as const, operator: 'AND' as const, children: [v.conditions] } : null;
  const title = v.name || `Variant ${at + 1}`;
  return (
    <li class="card variant-card">
      <fieldset disabled={frozen !== undefined} aria-label={title}>
        <div class="stack">
          <div class="spread">
            <h3>{title}{v.control && <> <span class="chip">{draft.type === 'ab_test' ? 'control' : 'default'}</span></>}</h3>
            <div class="row">
              {copy && <button type="button" class="button plain" onClick={copy}>Duplicate</button>}
              {drop && <button type="button" class="button plain" onClick={drop}>Remove</button>}
            </div>
          </div>
          <div class="outputs">
            <Field label="Name" wrong={wrong('name') ?? wrong('id')}><Input value={v.name} change={(name) => change({ name })} required /></Field>
            <Field label="Template" wrong={wrong('templateUid')}><Select value={v.templateUid} required change={(templateUid) => change({ templateUid, size: '', theme: '' })} choices={[{ value: '', label: 'Choose a template' }, ...templates.map((t) => t.uid)]} /></Field>
            {(sizes.length > 1 || v.size) && <Field label="Size" wrong={wrong('size')}><Select value={v.size} change={(size) => change({ size })} choices={[{ value: '', label: sizes[0]?.name ?? 'default' }, ...sizes.slice(1).map((s) => ({ value: s.name, label: `${s.label ?? s.name}, ${s.width} × ${s.height}` }))]} /></Field>}
            {(themes.length > 0 || v.theme) && <Field label="Theme" wrong={wrong('theme')}><Select value={v.theme} change={(theme) => change({ theme })} choices={[{ value: '', label: 'none' }, ...themes]} /></Field>}
          </div>
          <label class="tick"><input type="radio" name="control" checked={v.control} onChange={control} />{draft.type === 'ab_test' ? 'The control: the others are compared with it, and who does not take part gets it' : 'Shown when no other is'}</label>
          {draft.type === 'smart_link' && !v.control && <ConditionGroup label="Shown when" of={group ?? { type: 'group', operator: 'AND', children: [] }} change={(conditions) => change({ conditions })} wrong={(f) => wrong(`conditions${f}`)} />}
          {draft.type === 'scheduled' && !v.control && <ScheduleFields of={v.schedule ?? {}} change={(schedule) => change({ schedule })} wrong={(f) => wrong(f ? `schedule.${f}` : 'schedule')} />}
          {variables.length > 0 && (
            <fieldset class="group">
              <legend>What it sets</legend>
              <p class="soft small">{draft.rows ? 'What is set here is laid over the row’s values.' : 'Everything that the template needs must be set: no row brings it.'}</p>
              <div class="outputs">
                {variables.map((one) => <VariableField key={one.name} of={one} value={v.variables[one.name]} change={(value) => set(one.name, value)} wrong={wrong(`variables.${one.name}`)} needed={Boolean(one.required) && !draft.rows} />)}
              </div>
              {!draft.rows && missing.length > 0 && <button type="button" class="button" onClick={() => change({ variables: { ...Object.fromEntries(Object.entries(examplesOf(missing))), ...v.variables } })}>Fill in the examples</button>}
            </fieldset>
          )}
        </div>
      </fieldset>
      {known ? <Look of={v} template={known} rows={draft.rows} /> : <span class="variant-frame large"><span class="small soft">{v.templateUid ? 'Looking it up …' : 'Choose a template'}</span></span>}
    </li>
  );
}

