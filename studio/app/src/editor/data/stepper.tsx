// ◀ 12 of 500 ▶: from row to row, or straight to the ones that are hard.

import { useRef, useState } from 'preact/hooks';

import { Dialog } from '../../ui/dialog.tsx';
import { Field, Select } from '../../ui/field.tsx';
import { Trouble } from '../../ui/show.tsx';
import { count } from '../../ui/words.ts';
import { NumberField } from '../fields/number.tsx';
import { pasted, type Rows } from './rows.ts';

const kinds = { samples: 'Samples', binding: 'Bindings', source: 'Sources', job: 'Jobs' } as const;

export function Stepper({ rows }: { rows: Rows }) {
  const [pasting, setPasting] = useState(false);
  const now = rows.now.value;
  const total = now?.total ?? 0, at = now?.at ?? -1;
  const variables = rows.doc.manifest.value.variables;
  const texts = variables.filter((v) => ['text', 'any', 'url', ''].includes(v.type));
  const quick = [{ value: '', label: 'Jump to …' }, { value: 'examples', label: 'the examples' }, { value: 'first', label: 'the first' }, { value: 'last', label: 'the last' }, { value: 'random', label: 'a random one' }, { value: 'emptiest', label: 'the emptiest' },
    ...texts.flatMap((v) => [{ value: `longest:${v.name}`, label: `longest ${v.name}` }, { value: `shortest:${v.name}`, label: `shortest ${v.name}` }]), ...variables.map((v) => ({ value: `empty:${v.name}`, label: `without ${v.name}` }))];
  const groups = (Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) => [kind, rows.choices.value.filter((c) => c.kind === kind)] as const).filter(([, list]) => list.length > 0);
  return (
    <div class="stepper" role="group" aria-label="Row in view" data-busy={rows.busy.value || undefined}>
      <select class="input" aria-label="Rows from" value={rows.from.value} onChange={(e) => (e.currentTarget.value === 'paste…' ? (setPasting(true), e.currentTarget.value = rows.from.value) : void rows.choose(e.currentTarget.value))}>
        {groups.length === 0 && <option value="samples">Samples</option>}
        {groups.map(([kind, list]) => <optgroup key={kind} label={kinds[kind]}>{list.map((c) => <option key={c.from} value={c.from}>{c.title} ({count(c.rows)})</option>)}</optgroup>)}
        {rows.pastedTotal.value > 0 && <option value={pasted}>Pasted ({count(rows.pastedTotal.value)})</option>}
        <option value="paste…">Paste rows or open a file …</option>
      </select>
      <button type="button" class="button" aria-label="Row before" title="Row before" disabled={at <= 0} onClick={() => void rows.step(-1)}>◀</button>
      <span class="stepper-at"><NumberField label="Row" short="" value={at < 0 ? undefined : at + 1} min={1} max={Math.max(total, 1)} hint="–" disabled={total === 0} change={(n) => void rows.go((n ?? 1) - 1)} /><span>of {count(total)}</span></span>
      <button type="button" class="button" aria-label="Row behind" title="Row behind" disabled={total === 0 || at >= total - 1} onClick={() => void rows.step(1)}>▶</button>
      <Select aria-label="Jump to a row" value="" choices={total === 0 ? quick.slice(0, 2) : quick} change={(value) => (value === 'examples' ? rows.examples() : value && void rows.pick(value))} />
      {now && now.at >= 0 && <span class="soft clip stepper-name" title={now.key}>{now.name || now.key}{now.skipped && <span class="chip" data-level="warn">left out by the binding’s where</span>}{now.looked && !now.looked.all && <span class="chip">of the first {count(now.looked.rows)}</span>}</span>}
      {rows.trouble.value !== null && <Trouble error={rows.trouble.value} again={() => void rows.go(Math.max(at, 0))} />}
      {pasting && <Paste rows={rows} close={() => setPasting(false)} />}
    </div>
  );
}

const types = [{ value: 'application/json', label: 'JSON' }, { value: 'text/csv', label: 'CSV' }, { value: 'text/tab-separated-values', label: 'TSV (from a sheet)' }, { value: 'application/x-ndjson', label: 'NDJSON' }];
const byEnding: Record<string, string> = { csv: 'text/csv', tsv: 'text/tab-separated-values', json: 'application/json', ndjson: 'application/x-ndjson', jsonl: 'application/x-ndjson', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' };

/** guess is what pasted text looks like. */
function guess(text: string): string {
  const first = text.trimStart();
  if (first.startsWith('[')) return types[0]!.value;
  if (first.startsWith('{')) return first.includes('\n{') ? types[3]!.value : types[0]!.value;
  return (first.split('\n')[0] ?? '').includes('\t') ? types[2]!.value : types[1]!.value;
}

function Paste({ rows, close }: { rows: Rows; close: () => void }) {
  const [text, setText] = useState('');
  const [type, setType] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const take = async (body: Blob, as: string) => {
    setBusy(true);
    try {
      await rows.paste(body, as);
      close();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Rows to look at" close={close}>
      <p class="soft">Paste what you copied from a sheet, CSV or JSON, or open a file. Nothing is kept but in this window.</p>
      <Field label="Rows"><textarea class="input mono" rows={8} value={text} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => e.stopPropagation()} /></Field>
      {error !== undefined && <Trouble error={error} />}
      <div class="actions">
        <Select aria-label="They are" value={type ?? guess(text)} choices={types} change={setType} />
        <input ref={file} type="file" hidden accept=".csv,.tsv,.json,.ndjson,.jsonl,.xlsx" onChange={(e) => { const f = e.currentTarget.files?.[0]; if (f) void take(f, byEnding[f.name.split('.').pop()!.toLowerCase()] ?? f.type); }} />
        <button type="button" class="button" disabled={busy} onClick={() => file.current!.click()}>Open a file</button>
        <button type="button" class="button strong" disabled={busy || text.trim() === ''} onClick={() => void take(new Blob([text]), type ?? guess(text))}>Show the first</button>
      </div>
    </Dialog>
  );
}
