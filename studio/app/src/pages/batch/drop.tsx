// Where rows come in: a file that is dropped or chosen, or pasted text.

import { useId, useState } from 'preact/hooks';

import { type Table, tableOf, tableOfFile } from '../../api/batch.ts';
import { Field } from '../../ui/field.tsx';
import { tell } from '../../ui/toast.tsx';
import { bytes } from '../../ui/words.ts';

export function Drop({ table, take }: { table: Table | undefined; take: (table: Table) => void }) {
  const id = useId();
  const [over, setOver] = useState(false);
  const [pasting, setPasting] = useState(false);
  const [text, setText] = useState('');
  const file = (f: File | null | undefined) => f && void tableOfFile(f).then(take, tell);
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    file(e.dataTransfer?.files[0]);
  };
  return (
    <>
      <div class="drop" data-over={over || undefined} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
        <p>{table ? <><strong>{table.name}</strong> <span class="soft">{bytes(table.body.size)}</span></> : 'Drop a CSV, TSV, XLSX, JSON or NDJSON here'}</p>
        <div class="row">
          <label class="button strong" for={id}>{table ? 'Another file' : 'Choose a file'}</label>
          <input class="hide" type="file" id={id} accept=".csv,.tsv,.txt,.xlsx,.json,.ndjson,.jsonl" onChange={(e) => { file(e.currentTarget.files?.[0]); e.currentTarget.value = ''; }} />
          <button type="button" class="button" aria-expanded={pasting} onClick={() => setPasting(!pasting)}>Paste rows</button>
        </div>
      </div>
      {pasting && (
        <form class="stack" onSubmit={(e) => { e.preventDefault(); take(tableOf(text)); setPasting(false); }}>
          <Field label="Rows" help="A table from a spreadsheet, a CSV with its header, or JSON."><textarea class="input mono" rows={7} value={text} required spellcheck={false} onInput={(e) => setText(e.currentTarget.value)} /></Field>
          <div class="actions"><button type="submit" class="button strong">Use these rows</button></div>
        </form>
      )}
    </>
  );
}
