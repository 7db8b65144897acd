// Columns to variables: what each variable is computed from, with values of real
// rows beside it. Of a binding it is saved to the binding.

import { useEffect, useRef, useState } from 'preact/hooks';

import { get, path, post, query, request } from '../../api/client.ts';
import { Act } from '../../ui/act.tsx';
import { Copy, Empty, Note, Trouble } from '../../ui/show.tsx';
import { count, counted } from '../../ui/words.ts';
import { ExpressionField } from '../fields/expression.tsx';
import type { Scope } from '../fields/expressions.ts';
import { unitsAt } from '../fields/letters.ts';
import { Cell } from './row.tsx';
import { pasted, type Rows } from './rows.ts';

interface MappedColumn {
  name: string;
  type: string;
  types?: Record<string, number>;
  samples: unknown[];
  empty: number;
  longest: number;
}

interface MappedValue {
  value: unknown;
  text: string;
  error?: { message: string; line: number; column: number; endLine: number; endColumn: number; offset: number; hint?: string };
}

interface MappedVariable {
  name: string;
  type: string;
  required?: boolean;
  description?: string;
  expression: string;
  by: 'map' | 'name' | 'default' | 'example' | 'none';
  match?: { column: string; expression: string; why: 'same' | 'similar' };
  values: MappedValue[];
  fits: boolean;
  error?: string | { message: string };
}

interface MappingAnswer {
  binding?: string;
  source?: string;
  template: string;
  where: string;
  rows: number;
  looked: number; // rows that columns were told of
  tried: { key: string; name?: string; row: Record<string, unknown>; meets: boolean }[]; // those of the values, in their order
  columns: MappedColumn[];
  variables: MappedVariable[];
  unmatched: string[];
  missing: string[];
}

interface Bound {
  config?: Record<string, unknown>;
  readOnly: boolean;
  revision?: number;
  template: string;
}

const by = { map: 'mapped', name: 'column of its name', default: 'its default', example: 'no column', none: 'no value' } as const;

/** asked is the request that a place's mapping is asked with. */
function asked(rows: Rows, map: Record<string, string> | undefined): { path: string; body?: unknown } | null {
  const from = rows.from.value;
  const [kind, name = ''] = [from.split(':')[0], from.slice(from.indexOf(':') + 1)];
  if (kind === 'binding') return map ? { path: path`/bindings/${name}/mapping/preview`, body: { map, template: rows.doc.id } } : { path: path`/bindings/${name}/mapping` + query({ template: rows.doc.id }) };
  if (kind === 'source') return { path: path`/templates/${rows.doc.id}/mapping`, body: { source: name, map: map ?? {} } };
  if (from === pasted) return { path: path`/templates/${rows.doc.id}/mapping`, body: { rows: rows.pastedRows.value, map: map ?? {} } };
  return null;
}

export function Mapping({ rows }: { rows: Rows }) {
  const from = rows.from.value;
  const [map, setMap] = useState<Record<string, string>>();
  const [answer, setAnswer] = useState<MappingAnswer>();
  const [error, setError] = useState<unknown>();
  const round = useRef(0);
  const load = async (next?: Record<string, string>) => {
    const mine = ++round.current;
    const ask = asked(rows, next);
    if (!ask) return;
    try {
      const data = ask.body === undefined ? await get<MappingAnswer>(ask.path) : await post<MappingAnswer>(ask.path, ask.body);
      if (mine !== round.current) return;
      setAnswer(data);
      setError(undefined);
    } catch (e) {
      if (mine === round.current) setError(e);
    }
  };
  useEffect(() => {
    setMap(undefined);
    setAnswer(undefined);
    setError(undefined);
    void load();
  }, [from]);

  const binding = from.startsWith('binding:') ? from.slice(8) : '';
  const bindings = rows.choices.value.filter((c) => c.kind === 'binding');
  if (!asked(rows, undefined)) {
    return (
      <Empty title="Rows that are mapped come from a binding, a source, or what you paste">
        <p>{bindings.length > 0 ? 'Choose one:' : 'No binding draws this template yet. Choose a source above, or paste some rows.'} {bindings.map((b) => <button key={b.from} type="button" class="button" onClick={() => void rows.choose(b.from)}>{b.title}</button>)}</p>
      </Empty>
    );
  }
  const held = () => map ?? Object.fromEntries((answer?.variables ?? []).filter((v) => v.by === 'map').map((v) => [v.name, v.expression]));
  const set = (name: string, expression: string | null): Promise<boolean> => {
    const others = Object.entries(held()).filter(([other]) => other !== name);
    const next = Object.fromEntries(expression === null ? others : [...others, [name, expression]]);
    setMap(next);
    return load(next).then(() => true);
  };
  const take = (proposed: MappedVariable[]) => {
    const next = { ...held(), ...Object.fromEntries(proposed.map((v) => [v.name, v.match!.expression])) };
    setMap(next);
    void load(next);
  };
  const sample = answer?.tried[0]?.row ?? rows.now.value?.row ?? {};
  const scope = async (): Promise<Scope> => ({ template: '', variables: { ...Object.fromEntries((answer?.columns ?? []).map((c) => [c.name, null])), ...sample }, locals: {} });
  const matches = answer?.variables.filter((v) => v.match && (v.by === 'none' || v.by === 'default' || v.by === 'example')) ?? [];
  return (
    <div class="mapping">
      {error !== undefined && <Trouble error={error} again={() => void load(map)} />}
      {answer && (
        <>
          <div class="row mapping-state" role="status">
            <span>{counted(answer.rows, 'row')}</span>
            {answer.missing.length > 0 && <span class="chip" data-level="error">without a value: {answer.missing.join(', ')}</span>}
            {answer.unmatched.length > 0 && <span class="chip" data-level="warn" title={answer.unmatched.join(', ')}>{counted(answer.unmatched.length, 'column')} not read</span>}
            {answer.variables.some((v) => v.values.some((w) => w.error)) && <span class="chip" data-level="error">some rows fail</span>}
            {matches.length > 0 && <button type="button" class="button" onClick={() => take(matches)}>Take {counted(matches.length, 'proposal')}</button>}
            {binding && map && <Save binding={binding} map={map} rows={rows} saved={() => { setMap(undefined); void load(); void rows.go(rows.now.value?.at ?? 0); }} drop={() => { setMap(undefined); void load(); }} />}
          </div>
          <div class="mapping-grid">
            <section aria-label="Columns"><h3>Columns</h3>
              <ul>{answer.columns.map((c) => (
                <li key={c.name} data-unread={answer.unmatched.includes(c.name) || undefined}>
                  <span class="spread"><strong class="wrap">{c.name}</strong><span class="chip">{c.type}</span></span>
                  <span class="soft small clip" title={c.samples.map(String).join('\n')}>{c.samples.slice(0, 3).map(String).join(' · ') || 'all empty'}{c.empty > 0 && ` (${count(c.empty)} of ${count(answer.looked)} empty)`}</span>
                </li>
              ))}</ul>
            </section>
            <section aria-label="Variables"><h3>Variables</h3>
              <ul>{answer.variables.map((v) => {
                const failing = v.values.find((w) => w.error)?.error;
                const wrong = failing && v.expression ? { from: unitsAt(v.expression, failing.offset), to: Math.max(unitsAt(v.expression, failing.offset + Math.max(failing.endColumn - failing.column, 1)), 1), message: failing.message, hint: failing.hint } : undefined;
                return (
                  <li key={v.name} data-missing={answer.missing.includes(v.name) || undefined}>
                    <span class="spread"><strong class="wrap">{v.name}</strong><span><span class="chip">{v.type}{v.required && ', required'}</span> <span class="chip" data-level={v.by === 'none' && v.required ? 'error' : v.by === 'map' || v.by === 'name' ? 'ok' : 'warn'}>{by[v.by]}</span></span></span>
                    <ExpressionField label={`${v.name}: expression`} value={v.by === 'map' || v.by === 'name' ? v.expression : ''} hint={v.match?.expression ?? 'a column, or an expression over columns'} scope={scope} wrong={wrong} preview={false} commit={(e) => set(v.name, e)} cancel={() => { if (v.by === 'map') void set(v.name, null); }} />
                    <span class="row small">
                      {v.values.map((w, i) => <span key={i} class="chip" data-level={w.error ? 'error' : undefined} title={`${answer.tried[i]?.name || answer.tried[i]?.key || ''}${w.error ? `: ${w.error.message}` : ''}`}>{w.error ? 'fails' : w.value === null || w.value === '' ? '–' : <Cell value={typeof w.value === 'string' ? w.text.slice(0, 40) : w.value} />}</span>)}
                      {v.match && v.by !== 'map' && v.by !== 'name' && <button type="button" class="button plain" onClick={() => void set(v.name, v.match!.expression)}>Use {v.match.column}{v.match.why === 'similar' && ' (similar)'}</button>}
                      {v.by === 'map' && <button type="button" class="button plain" onClick={() => void set(v.name, null)}>Not mapped</button>}
                    </span>
                    {!v.fits && !failing && <p class="wrong">{typeof v.error === 'string' ? v.error : v.error?.message ?? `Not every value is a ${v.type}.`}</p>}
                  </li>
                );
              })}</ul>
            </section>
          </div>
        </>
      )}
    </div>
  );
}

function Save({ binding, map, rows, saved, drop }: { binding: string; map: Record<string, string>; rows: Rows; saved: () => void; drop: () => void }) {
  const [held, setHeld] = useState<Bound>();
  useEffect(() => void get<{ binding: Bound }>(path`/bindings/${binding}`).then((a) => setHeld(a.binding), () => undefined), [binding]);
  if (held?.readOnly) {
    const yaml = `map:\n${Object.entries(map).map(([name, e]) => `  ${name}: ${JSON.stringify(e)}`).join('\n')}`;
    return <Note level="warn">This binding stands in a file. Put this into it: <Copy text={yaml}>Copy the mapping</Copy> <button type="button" class="button plain" onClick={drop}>Drop it</button></Note>;
  }
  const save = async () => {
    const now = await request<{ binding: Bound }>(path`/bindings/${binding}`);
    const config = { ...now.data.binding.config, map: Object.keys(map).length > 0 ? map : undefined };
    await request(path`/bindings/${binding}`, { method: 'PUT', body: config, ifMatch: now.etag || undefined });
  };
  const items = rows.choices.value.find((c) => c.from === `binding:${binding}`)?.rows ?? 0;
  return (
    <>
      <Act act={save} done={`The mapping of ${binding} is saved.`} then={saved} kind="strong" confirm={{ title: `Save the mapping of ${binding}?`, question: <p>Its {counted(items, 'row')} are computed again; images whose values change are made again, unless its guard holds them.</p> }}>Save to the binding</Act>
      <button type="button" class="button" onClick={drop}>Drop the changes</button>
    </>
  );
}
