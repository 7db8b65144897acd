// What a binding makes of a row now: the values of the template's variables, and
// whether its image would be another one. Nothing is rendered and nothing kept.

import { useEffect, useState } from 'preact/hooks';

import { path, post } from '../../api/client.ts';
import type { Preview } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { Field, Input } from '../../ui/field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { canonical } from '../../ui/key.ts';
import { Mark, Note, Trouble } from '../../ui/show.tsx';
import { Fields } from '../../ui/value.tsx';

// outcome is what would become of the row's image.
function outcome(p: Preview): { level: 'ok' | 'warn' | 'error' | 'quiet'; words: string } {
  if (p.problem) return { level: 'error', words: 'It could not be drawn' };
  if (!p.drawn) return { level: 'quiet', words: 'The row does not meet where: it has no image' };
  return p.changed ? { level: 'warn', words: 'It would be drawn anew' } : { level: 'ok', words: 'Its image is as it is wanted' };
}

export function PreviewPart({ of: b }: { of: Binding }) {
  const [filters, set] = useFilters();
  const [key, setKey] = useState(filters.row ?? '');
  const [row, setRow] = useState('');
  const [wrong, setWrong] = useState('');
  const [preview, setPreview] = useState<Preview>();
  const [error, setError] = useState<unknown>();

  const look = async (body: { key?: string; row?: unknown }) => {
    try {
      setError(undefined);
      const answer = await post<{ preview: Preview }>(`${path`/bindings/${b.name}`}/preview`, body);
      setPreview(answer.preview);
    } catch (e) {
      setPreview(undefined);
      setError(e);
    }
  };
  useEffect(() => {
    void look(filters.row ? { key: filters.row } : {});
  }, [b.name]);

  const ask = (e: Event) => {
    e.preventDefault();
    setWrong('');
    if (!row.trim()) {
      const wanted = canonical(key);
      set({ row: wanted });
      void look(wanted ? { key: wanted } : {});
      return;
    }
    try {
      void look({ row: JSON.parse(row) as unknown });
    } catch (fault) {
      setWrong(`This is no JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  };
  return (
    <>
      <form class="filters" onSubmit={ask}>
        <Field label="Key of a row" help="Empty: the first row"><Input value={key} change={setKey} placeholder="SKU-1" /></Field>
        <Field label="Or a row, as JSON" wrong={wrong}><textarea class="input mono" rows={2} value={row} onInput={(e) => setRow(e.currentTarget.value)} placeholder='{"sku": "SKU-1"}' spellcheck={false} /></Field>
        <button type="submit" class="button strong">Preview</button>
      </form>
      <p class="soft small">For all rows of the source at once, without writing anything: <code>pictifyd plan {b.name}</code></p>
      {error !== undefined && <Trouble error={error} />}
      {preview && <Shown of={preview} template={b.template} />}
    </>
  );
}

function Shown({ of: p, template }: { of: Preview; template: string }) {
  const { level, words } = outcome(p);
  return (
    <>
      <p class="row"><strong>{p.name ?? 'The row that was given'}</strong> <Mark level={level}>{words}</Mark></p>
      {p.problem && <Note level="error"><p><strong>{p.problem.error}</strong></p><p>{p.problem.field && <>The variable <code>{p.problem.field}</code>: </>}mend the row at its source, or the expression under Configuration.</p></Note>}
      <div class="pair">
        <section aria-labelledby="row-in"><h2 id="row-in">The row</h2><Fields row={p.row} /></section>
        <section aria-labelledby="row-out"><h2 id="row-out">Variables of <a href={`/studio${path`/templates/${template}`}`}>{template}</a></h2><Fields row={p.values} /></section>
      </div>
      {p.outputs.length > 0 && (
        <section aria-labelledby="outputs"><h2 id="outputs">Images</h2>
          <ul>{p.outputs.map((o) => <li key={o.output} class="row"><strong>{o.output}</strong> <span>{o.size}, {o.format}</span> <span class="mono soft small clip" title="The fingerprint: the same one is never drawn twice">{o.fingerprint.slice(0, 16)}…</span></li>)}</ul>
        </section>
      )}
    </>
  );
}
