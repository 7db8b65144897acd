// The form of an experiment, new or changed.

import { useState } from 'preact/hooks';

import { Failure } from '../../../api/client.ts';
import { type Experiment, type Goal, types } from '../../../api/experiments.ts';
import type { Template } from '../../../api/work.ts';
import { Field, Input, Select } from '../../../ui/field.tsx';
import { useLoad } from '../../../ui/load.ts';
import { Empty, Note, Trouble } from '../../../ui/show.tsx';
import { typeAbout, typeWords } from '../words.ts';
import { add, type Draft, drop, put, retyped, slugOf } from './draft.ts';
import { Rules } from './rules.tsx';
import { VariantFields } from './variant.tsx';
import { WeightFields } from './weightfields.tsx';
import '../experiments.css';
import '../../batch/batch.css';
import '../../templates/templates.css';

const most = 8; // variants, as the palette of plots can tell apart

const goals: { value: Goal['type']; label: string }[] = [
  { value: 'click_through', label: 'Clicks on the image' }, { value: 'conversion', label: 'Conversions that are reported' }, { value: 'impressions_only', label: 'Nothing: only who saw what' },
];

/** ExperimentForm fills in an experiment; of is the one that there is. */
export function ExperimentForm({ of: e, begin, save, verb }: { of?: Experiment; begin: Draft; save: (d: Draft) => Promise<unknown>; verb: string }) {
  const [d, setDraft] = useState(begin);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const templates = useLoad<{ templates: Template[] }>('/templates');
  const frozen = e && e.status !== 'draft' ? e : undefined;
  const change = (c: Partial<Draft>) => setDraft((was) => ({ ...was, ...c }));
  const name = (text: string) => change({ name: text, ...(d.ownSlug || frozen ? {} : { slug: slugOf(text) }) });
  const wrong = (field: string) => (error instanceof Failure ? error.errors.find((f) => f.field === field)?.message : undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await save(d);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  if (templates.data?.templates.length === 0) return <Empty title="There is no template yet"><p>Variants are drawn with templates. <a href="/studio/templates">Make a template</a> first.</p></Empty>;
  const clicks = d.goal.type === 'click_through';
  return (
    <form class="stack experiment-form" onSubmit={submit}>
      <datalist id="timezones">{Intl.supportedValuesOf('timeZone').map((z) => <option key={z} value={z} />)}</datalist>
      {templates.error !== undefined && <Trouble error={templates.error} again={templates.again} />}
      {frozen && <Note><p>It has begun: variants, weights and what counts stay as they are, so that its numbers mean one thing. Name, hypothesis, days, confidence and where a click leads can change, and more people can take part.</p></Note>}
      <section class="card stack">
        <div class="outputs">
          <Field label="Name" wrong={wrong('name')}><Input value={d.name} change={name} required placeholder="Spring banner" autofocus={!e} /></Field>
          <Field label="Address" help={`/s/${d.slug || 'spring-banner'}.png, for ever`} wrong={wrong('slug')}><Input value={d.slug} change={(slug) => change({ slug, ownSlug: slug !== '' })} required disabled={frozen !== undefined} minLength={3} maxLength={60} pattern="[a-z0-9][a-z0-9\-]*" title="3 to 60 of a–z, 0–9 and -" /></Field>
        </div>
        <Field label="Hypothesis" help="What you expect, and why. It keeps you honest later." wrong={wrong('hypothesis')}><textarea class="input" rows={2} value={d.hypothesis} placeholder="With the price on the image more people click, because they know what to expect." onInput={(event) => change({ hypothesis: event.currentTarget.value })} /></Field>
        <fieldset class="starters kinds-of" disabled={frozen !== undefined}>
          <legend>Type</legend>
          {types.map((t) => <label key={t} class="starter"><input type="radio" name="type" value={t} checked={d.type === t} onChange={() => setDraft((was) => retyped(was, t))} /><span><strong>{typeWords[t]}</strong><span class="small soft">{typeAbout[t]}</span></span></label>)}
        </fieldset>
        {wrong('type') && <p class="wrong" role="alert">{wrong('type')}</p>}
      </section>

      <section class="stack" aria-labelledby="form-variants">
        <h2 id="form-variants">Variants</h2>
        <ul class="stack">
          {d.variants.map((v, i) => (
            <VariantFields key={v.key} of={v} at={i} draft={d} templates={templates.data?.templates ?? []} frozen={frozen} change={(c) => setDraft((was) => put(was, v.key, c))}
              control={() => change({ variants: d.variants.map((o) => ({ ...o, control: o.key === v.key })) })} wrong={(field) => wrong(`variants[${i}].${field}`)}
              drop={!frozen && d.variants.length > 2 ? () => setDraft(drop(d, v.key)) : undefined} copy={!frozen && d.variants.length < most ? () => setDraft(add(d, v)) : undefined} />
          ))}
        </ul>
        {wrong('variants') && <p class="wrong" role="alert">{wrong('variants')}</p>}
        {!frozen && d.variants.length < most && <div class="row"><button type="button" class="button" onClick={() => setDraft(add(d))}>Add a variant</button></div>}
        {d.type === 'ab_test' && <div class="card"><WeightFields names={d.variants.map((v, i) => v.name || `Variant ${i + 1}`)} weights={d.variants.map((v) => v.weight)} disabled={frozen !== undefined} change={(weights) => change({ variants: d.variants.map((v, i) => ({ ...v, weight: weights[i]! })) })} /></div>}
      </section>

      <section class="card stack" aria-labelledby="form-goal">
        <h2 id="form-goal">What counts</h2>
        <div class="outputs">
          <Field label="Goal" wrong={wrong('goalConfig.type')}><Select value={d.goal.type} disabled={frozen !== undefined} change={(type) => change({ goal: { ...d.goal, type: type as Goal['type'] } })} choices={goals} /></Field>
          <Field label="A click leads to" help={clicks ? 'The only place where it leads, whatever a link says.' : 'Where the image is a link; may be empty.'} wrong={wrong('goalConfig.destinationUrl')}><Input type="url" value={d.goal.destinationUrl ?? ''} change={(destinationUrl) => change({ goal: { ...d.goal, destinationUrl } })} required={clicks} placeholder="https://shop.example/spring" /></Field>
        </div>
        {d.goal.type === 'conversion' && <p class="soft small">A page or a server of yours reports conversions, with the write key that the report shows.</p>}
      </section>

      <Rules of={d} change={change} wrong={wrong} frozen={frozen} />
      {error !== undefined && <Trouble error={error} />}
      <div class="row"><button type="submit" class="button strong" disabled={busy}>{verb}</button>{!e && <span class="soft small">Nobody sees it before it is started.</span>}</div>
    </form>
  );
}
