// A row: its columns as they were read, and the variables that they become.

import { Note } from '../../ui/show.tsx';
import type { Rows } from './rows.ts';

/** Cell shows a value shortly: a picture's address with its picture's name, a list with its length. */
export function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === '') return <span class="soft">–</span>;
  if (Array.isArray(value)) return <span title={JSON.stringify(value, null, 1)}><span class="chip">{value.length} items</span> <span class="soft">{JSON.stringify(value).slice(0, 80)}</span></span>;
  if (typeof value === 'object') return <span class="mono" title={JSON.stringify(value, null, 1)}>{JSON.stringify(value).slice(0, 120)}</span>;
  const text = String(value);
  return <span class="wrap" title={text}>{typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(text) && <span class="swatch" aria-hidden="true"><i style={{ background: text }} /></span>} {text.length > 240 ? `${text.slice(0, 240)}…` : text}</span>;
}

export function RowView({ rows }: { rows: Rows }) {
  const { doc } = rows;
  const now = rows.now.value;
  const variables = doc.row.value.variables;
  const declared = doc.manifest.value.variables;
  const names = [...declared.map((v) => v.name), ...Object.keys(variables).filter((n) => !declared.some((v) => v.name === n))];
  const row = now?.row ?? null;
  const wrong = new Map(doc.problems.value.filter((p) => p.variable).map((p) => [p.variable!, p]));
  return (
    <div class="row-view">
      {now?.error && <Note level="error"><p><strong>{now.error.field && `${now.error.field}: `}{now.error.message}</strong></p><p class="soft">This row would fail. Change the row, the mapping, or what the variable allows.</p></Note>}
      {now && now.total === 0 && <Note>There are no rows here; the canvas shows the examples of the variables. Choose another place, or paste some.</Note>}
      <div class="row-tables">
        {row && <section aria-label="Columns as read"><h3>Columns</h3><dl class="facts">{Object.entries(row).map(([name, value]) => [<dt key={`${name} t`}>{name}</dt>, <dd key={`${name} d`}><Cell value={value} /></dd>])}</dl></section>}
        <section aria-label="Variables"><h3>Variables{!row && ' (examples)'}</h3>
          <dl class="facts">{names.map((name) => {
            const v = declared.find((d) => d.name === name);
            const p = wrong.get(name);
            return [<dt key={`${name} t`}>{name} <span class="soft small">{v?.type}{v?.required && ', required'}</span></dt>, <dd key={`${name} d`}><Cell value={variables[name]} />{p && <p class="wrong">{p.message}</p>}</dd>];
          })}</dl>
          {names.length === 0 && <p class="soft">The template has no variables yet. Add one under Variables, or write an expression.</p>}
        </section>
      </div>
    </div>
  );
}
