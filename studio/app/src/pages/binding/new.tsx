// A new binding: rows of a source, the template that draws them, and which column
// goes into which variable.

import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';

import type { Column } from '../../api/batch.ts';
import { Failure, path, post, request } from '../../api/client.ts';
import type { Connection } from '../../api/ops.ts';
import type { Template, Variable } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { Field, Input, Select, Tick } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';
import { Columns, type Mappable } from '../batch/columns.tsx';
import { formats, sizeChoices } from '../batch/outputs.ts';
import { useTemplate } from '../templates/about.tsx';
import '../batch/batch.css';

interface Mapped extends Variable {
  expression: string;
  by: 'map' | 'name' | 'default' | 'example' | 'none';
  match?: { expression: string };
}

interface Answer {
  rows: number;
  columns: { name: string; type: Column['type']; samples: unknown[]; empty: number; longest: number }[];
  variables: Mapped[];
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** mappable is what an answer says of columns and variables; proposals are taken as found. */
const mappable = (a: Answer): Mappable => ({
  columns: a.columns.map((c) => ({ ...c, samples: c.samples.map(textOf) })),
  variables: a.variables,
  mapping: Object.fromEntries(a.variables.flatMap((v) => (v.by === 'name' ? [[v.name, v.expression]] : v.match ? [[v.name, v.match.expression]] : []))),
});

export function NewBinding() {
  const { route } = useLocation();
  const [filters, set] = useFilters(); // source and template stand in the address
  const sources = useLoad<{ sources: Connection[] }>('/sources');
  const sinks = useLoad<{ sinks: Connection[] }>('/sinks');
  const templates = useLoad<{ templates: Template[] }>('/templates');
  const source = filters.source ?? '', template = filters.template ?? '';
  const sizes = useTemplate(template, 0).data?.sizes ?? [];
  const [seen, setSeen] = useState<Mappable & { rows: number }>();
  const [mapping, setMapping] = useState<Record<string, string>>({});
  const [name, setName] = useState('');
  const [format, setFormat] = useState('png');
  const [size, setSize] = useState('');
  const [told, setTold] = useState<string[]>([]);
  const [open, setOpen] = useState(false);
  const [unread, setUnread] = useState<unknown>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    setSeen(undefined);
    setUnread(undefined);
    if (!source || !template) return undefined;
    let mine = true;
    post<Answer>(path`/templates/${template}/mapping`, { source }).then(
      (answer) => {
        if (!mine) return;
        const found = mappable(answer);
        setSeen({ ...found, rows: answer.rows });
        setMapping(found.mapping);
      },
      (fault: unknown) => mine && setUnread(fault),
    );
    return () => {
      mine = false;
    };
  }, [source, template]);

  const called = name || template;
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    // A variable without a line takes the column of its name: such lines need not be written.
    const map = Object.fromEntries(Object.entries(mapping).filter(([variable, expression]) => expression !== variable));
    const outputs = (size === '*' ? sizes.map((s) => s.name) : [size]).map((s) => ({ format, ...(s ? { size: s } : {}) }));
    try {
      const { data } = await request<{ binding: { name: string } }>('/bindings', { method: 'POST', body: { name: called, source, template, map, outputs, sinks: told, public: open } });
      toast(`${data.binding.name} is there, and its images are drawn`);
      route(`/studio${path`/bindings/${data.binding.name}`}`);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const wrong = (field: string) => (error instanceof Failure ? error.errors.find((f) => f.field === field)?.message : undefined);
  const all = sources.data?.sources ?? [];
  return (
    <Page title="New binding" over={<a href="/studio/bindings">Bindings</a>}>
      {sources.error !== undefined && <Trouble error={sources.error} again={sources.again} />}
      {templates.error !== undefined && <Trouble error={templates.error} again={templates.again} />}
      {sources.data && all.length === 0 && <Empty title="There is no source yet"><p>A binding draws a picture for each row of a source. <a href="/studio/sources/new">Make a source</a> first.</p></Empty>}
      {sources.data && all.length > 0 && (
        <form class="stack" onSubmit={submit}>
          <section class="card stack">
            <div class="outputs">
              <Field label="Rows of" wrong={wrong('source')}><Select value={source} required change={(v) => set({ source: v })} choices={[{ value: '', label: 'Choose a source' }, ...all.map((s) => s.name)]} /></Field>
              <Field label="Drawn with" wrong={wrong('template')}><Select value={template} required change={(v) => { set({ template: v }); setSize(''); }} choices={[{ value: '', label: 'Choose a template' }, ...(templates.data?.templates ?? []).map((t) => t.uid)]} /></Field>
              <Field label="Name" help="It stands in the addresses of the images." wrong={wrong('name')}><Input value={called} change={setName} required placeholder="product-cards" /></Field>
            </div>
          </section>
          {unread !== undefined && <Trouble error={unread} />}
          {seen && (
            <section class="card stack" aria-label="Columns">
              <h2>Columns</h2>
              <p class="soft" role="status">{counted(seen.rows, 'row')} with {counted(seen.columns.length, 'column')} in {source}.{seen.rows === 0 && ' It was not read yet: columns of the variables’ names are taken when it is.'}</p>
              <Columns key={`${source} ${template}`} seen={seen} mapping={mapping} change={setMapping} />
            </section>
          )}
          {template && source && (
            <section class="card stack" aria-label="Images">
              <h2>Images</h2>
              <div class="outputs">
                <Field label="Format"><Select value={format} change={setFormat} choices={formats} /></Field>
                {sizes.length > 1 && <Field label="Size"><Select value={size} change={setSize} choices={sizeChoices(sizes)} /></Field>}
              </div>
              <Tick label="Anybody may load the images; without this they need a key" checked={open} change={setOpen} />
              {(sinks.data?.sinks ?? []).length > 0 && (
                <fieldset class="group">
                  <legend>Who is told of each image</legend>
                  {sinks.data!.sinks.map((s) => <Tick key={s.name} label={s.name} checked={told.includes(s.name)} change={(on) => setTold(on ? [...told, s.name] : told.filter((t) => t !== s.name))} />)}
                </fieldset>
              )}
              <p class="soft small">A guard holds a reading that would change half of the images, or remove a tenth of them, until somebody accepts it. It can be set under Configuration.</p>
            </section>
          )}
          {error !== undefined && <Trouble error={error} />}
          <div class="row"><button type="submit" class="button strong" disabled={busy || !source || !template}>{seen && seen.rows > 0 ? `Make it, and draw ${counted(seen.rows, 'row')}` : 'Make the binding'}</button></div>
        </form>
      )}
    </Page>
  );
}
