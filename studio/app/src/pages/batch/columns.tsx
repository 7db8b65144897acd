// Which column goes into which variable, or which expression over columns.

import { useState } from 'preact/hooks';

import { type Column, reference } from '../../api/batch.ts';
import type { Variable } from '../../api/work.ts';
import { Input, Select } from '../../ui/field.tsx';
import { Note } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';

/** A Mappable is columns, variables, and which of them belong together by their names. */
export interface Mappable {
  columns: Column[];
  variables: Variable[];
  mapping: Record<string, string>;
}

const written = '\u0000'; // an expression, which no column is called

export function Columns({ seen, mapping, change }: { seen: Mappable; mapping: Record<string, string>; change: (mapping: Record<string, string>) => void }) {
  const used = new Set(Object.values(mapping));
  const left = seen.columns.filter((c) => ![...used].some((e) => e === c.name || e.includes(c.name)));
  const missing = seen.variables.filter((v) => v.required && !mapping[v.name]);
  const set = (name: string, expression: string) => {
    const others = Object.entries(mapping).filter(([other]) => other !== name);
    change(Object.fromEntries(expression ? [...others, [name, expression]] : others));
  };
  if (seen.variables.length === 0) return <p class="soft">The template has no variables: each row draws the same.</p>;
  return (
    <>
      <ul class="mapping">
        {seen.variables.map((v) => <li key={v.name}><Line v={v} columns={seen.columns} expression={mapping[v.name] ?? ''} found={seen.mapping[v.name] !== undefined && seen.mapping[v.name] === mapping[v.name]} set={(e) => set(v.name, e)} /></li>)}
      </ul>
      {missing.length > 0 && <Note level="warn"><p><strong>{counted(missing.length, 'required variable')} without a column: {missing.map((v) => v.name).join(', ')}.</strong></p><p class="soft">Choose a column for each, or rows fail with missing_variable.</p></Note>}
      {left.length > 0 && <p class="soft small">Not used: {left.map((c) => c.name).join(', ')}</p>}
    </>
  );
}

function Line({ v, columns, expression, found, set }: { v: Variable; columns: Column[]; expression: string; found: boolean; set: (expression: string) => void }) {
  const column = columns.find((c) => reference(c.name) === expression);
  const [free, setFree] = useState(expression !== '' && !column);
  return (
    <div class="mapping-line" data-missing={v.required && !expression ? '' : undefined}>
      <div><code>{v.name}</code> <span class="chip">{v.type}</span>{v.required && <span class="chip" data-level={expression ? 'ok' : 'warn'}>required</span>}{v.description && <div class="small soft">{v.description}</div>}</div>
      <div class="stack tight">
        <Select aria-label={`Column for ${v.name}`} value={free ? written : expression} change={(value) => { setFree(value === written); set(value === written ? expression : value); }}
          choices={[{ value: '', label: 'No column' }, ...columns.map((c) => ({ value: reference(c.name), label: `${c.name} (${c.type})` })), { value: written, label: 'An expression …' }]} />
        {free && <Input aria-label={`Expression for ${v.name}`} class="input mono" value={expression} change={set} placeholder="upper(name)" />}
      </div>
      <div class="small soft wrap">
        {found && column && <span class="chip" data-level="ok">found by its name</span>} {column && <>{column.samples.slice(0, 3).join(' · ') || 'always empty'}{column.empty > 0 && <>, {counted(column.empty, 'time')} empty</>}</>}
        {!column && !expression && (v.default !== undefined ? `its default: ${JSON.stringify(v.default)}` : '')}
      </div>
    </div>
  );
}
