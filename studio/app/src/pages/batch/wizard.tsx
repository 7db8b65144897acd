// A new batch, from rows that somebody has to pictures that are downloaded.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { type Inspection, inspect, type Options, run, type Table } from '../../api/batch.ts';
import type { DryRun, Template } from '../../api/work.ts';
import { Page } from '../../shell/shell.tsx';
import { Act } from '../../ui/act.tsx';
import { Field, Select } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Empty, Note, Trouble } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';
import { useTemplate } from '../templates/about.tsx';
import { Check } from './check.tsx';
import { Columns } from './columns.tsx';
import { Drop } from './drop.tsx';
import { formats, sizeChoices } from './outputs.ts';
import { Watch } from './watch.tsx';
import './batch.css';

export function Wizard() {
  const [filters, set] = useFilters(); // the template and the job stand in the address; rows don't
  const templates = useLoad<{ templates: Template[] }>('/templates');
  const [table, setTable] = useState<Table>();
  const [seen, setSeen] = useState<Inspection>();
  const [error, setError] = useState<unknown>();
  const [mapping, setMapping] = useState<Record<string, string>>({});
  const [options, setOptions] = useState<Options>({ format: 'png', size: '', rowKey: '', sheet: '' });
  const [checked, setChecked] = useState<DryRun>();
  const template = filters.template ?? '';
  const round = useRef(0);

  useEffect(() => {
    if (!table) return;
    const mine = ++round.current;
    setError(undefined);
    setChecked(undefined);
    inspect(table, template, options.sheet).then(
      (answer) => {
        if (mine !== round.current) return; // another table came meanwhile
        setSeen(answer);
        setMapping(answer.mapping);
      },
      (fault: unknown) => {
        if (mine !== round.current) return;
        setSeen(undefined);
        setError(fault);
      },
    );
  }, [table, template, options.sheet]);

  const all = templates.data?.templates ?? [];
  const change = (changes: Partial<Options>) => {
    setOptions((o) => ({ ...o, ...changes }));
    setChecked(undefined);
  };
  const map = (next: Record<string, string>) => {
    setMapping(next);
    setChecked(undefined);
  };
  if (filters.job) return <Watch job={filters.job} anew={() => set({ job: '' })} />;
  if (templates.data && all.length === 0) {
    return <Page title="New batch"><Empty title="There is no template yet" command="pictifyd new card --from product-card"><p>A batch draws a template once for each row. <a href="/studio/templates">Make a template</a> first, or on the machine:</p></Empty></Page>;
  }
  return (
    <Page title="New batch">
      <ol class="steps">
        <Step n={1} title="Rows" done={seen !== undefined}>
          <Drop table={table} take={(t) => { setTable(t); setOptions((o) => ({ ...o, sheet: '', rowKey: '' })); }} />
          {error !== undefined && <Trouble error={error} />}
          {seen && <Seen of={seen} options={options} change={change} />}
        </Step>
        <Step n={2} title="Template" done={template !== ''}>
          {templates.error !== undefined && <Trouble error={templates.error} again={templates.again} />}
          <Field label="Template"><Select value={template} change={(v) => set({ template: v })} choices={[{ value: '', label: 'Choose one' }, ...all.map((t) => t.uid), ...(template && !all.some((t) => t.uid === template) ? [template] : [])]} /></Field>
          {template && <Outputs template={template} version={all.find((t) => t.uid === template)?.version ?? 0} seen={seen} options={options} change={change} />}
        </Step>
        {seen && template && table && (
          <>
            <Step n={3} title="Columns" done={seen.variables.every((v) => !v.required || mapping[v.name])}>
              <Columns seen={seen} mapping={mapping} change={map} />
            </Step>
            <Sized template={template}>
              {(sizes) => {
                const batch = { table, template, mapping, options, sizes };
                return (
                  <>
                    <Step n={4} title="Check" done={checked !== undefined && checked.invalidItems === 0}>
                      <Check batch={batch} checked={checked} change={setChecked} />
                    </Step>
                    <Step n={5} title="Run" done={false}>
                      {!checked && <p class="soft">Check the rows first: then it is known what they come to.</p>}
                      {checked?.validItems === 0 && <Note level="error"><p><strong>No row can be drawn.</strong></p><p class="soft">Correct the columns above, or the rows, and check again.</p></Note>}
                      {checked && checked.validItems > 0 && (
                        <Act act={async () => set({ job: await run(batch) })} done="The batch runs" kind="strong"
                          confirm={checked.invalidItems > 0 ? { title: `Run with ${counted(checked.invalidItems, 'bad row')}?`, question: <p>{counted(checked.validItems, 'row')} are drawn. {counted(checked.invalidItems, 'row')} fail, and can be downloaded with their reasons to be corrected.</p> } : undefined}>
                          {checked.invalidItems > 0 ? `Run anyway: ${count(checked.validItems)} of ${counted(checked.totalItems, 'row')}` : `Run ${counted(checked.totalItems, 'row')}`}
                        </Act>
                      )}
                    </Step>
                  </>
                );
              }}
            </Sized>
          </>
        )}
      </ol>
    </Page>
  );
}

function Step({ n, title, done, children }: { n: number; title: string; done: boolean; children: ComponentChildren }) {
  return (
    <li class="card stack" data-done={done || undefined}>
      <h2><span class="step-number" aria-hidden="true">{done ? '✓' : n}</span>{title}{done && <span class="hide"> (done)</span>}</h2>
      {children}
    </li>
  );
}

/** Sized knows the sizes of the template. */
function Sized({ template, children }: { template: string; children: (sizes: string[]) => ComponentChildren }) {
  const about = useTemplate(template, 0);
  return <>{children((about.data?.sizes ?? []).map((s) => s.name))}</>;
}

function Seen({ of, options, change }: { of: Inspection; options: Options; change: (o: Partial<Options>) => void }) {
  return (
    <>
      <p role="status">{counted(of.rows, 'row')} with {counted(of.columns.length + (of.moreColumns ?? 0), 'column')}, {of.format.toUpperCase()}.</p>
      {of.sheets && of.sheets.length > 1 && <Field label="Sheet"><Select value={options.sheet || of.sheets[0]!} change={(sheet) => change({ sheet })} choices={of.sheets} /></Field>}
      {of.errorRows > 0 && (
        <Note level="warn">
          <p><strong>{counted(of.errorRows, 'row')} can’t be read.</strong></p>
          {of.errors.map((e) => <p key={`${e.index}${e.code}`}>Row {count(e.index + 1)}: {e.message}</p>)}
          <p class="soft">They fail, and refuse nothing else. Correct them in the file to have them too.</p>
        </Note>
      )}
    </>
  );
}

function Outputs({ template, version, seen, options, change }: { template: string; version: number; seen: Inspection | undefined; options: Options; change: (o: Partial<Options>) => void }) {
  const sizes = useTemplate(template, version).data?.sizes ?? [];
  return (
    <div class="outputs">
      <Field label="Format"><Select value={options.format} change={(format) => change({ format })} choices={formats} /></Field>
      {sizes.length > 1 && <Field label="Size"><Select value={options.size} change={(size) => change({ size })} choices={sizeChoices(sizes)} /></Field>}
      {seen && <Field label="Name rows by"><Select value={options.rowKey} change={(rowKey) => change({ rowKey })} choices={[{ value: '', label: 'Their number' }, ...seen.columns.map((c) => c.name)]} /></Field>}
    </div>
  );
}
