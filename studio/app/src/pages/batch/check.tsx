// Checks all rows before they are sent: every bad one with its place, and what
// the good ones look like.

import { useState } from 'preact/hooks';

import { type Batch, check } from '../../api/batch.ts';
import { warningName } from '../../api/gallery.ts';
import type { DryRun, RowFailure } from '../../api/work.ts';
import { Bar, Note, Trouble } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count, counted, span } from '../../ui/words.ts';

const columns: Column<RowFailure>[] = [
  { name: 'Row', number: true, cell: (e) => count(e.index + 1) },
  { name: 'Key', cell: (e) => e.key },
  { name: 'Where', cell: (e) => (e.field ? <code>{e.field}</code> : <span class="soft">the row</span>) },
  { name: 'Why', width: '55%', cell: (e) => <><code class="soft">{e.code}</code> {e.error}</> },
];

export function Check({ batch, checked, change }: { batch: Batch; checked: DryRun | undefined; change: (checked: DryRun) => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async () => {
    setBusy(true);
    setError(undefined);
    try {
      change(await check(batch));
    } catch (fault) {
      setError(fault);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <div class="row"><button type="button" class={`button ${checked ? '' : 'strong'}`} disabled={busy} onClick={go}>{busy ? 'Checking …' : checked ? 'Check again' : 'Check all rows'}</button><span class="soft small">Every row is checked, and a few are drawn. Nothing is kept.</span></div>
      {error !== undefined && <Trouble error={error} />}
      {checked && <Result of={checked} />}
    </>
  );
}

function Result({ of }: { of: DryRun }) {
  const words = of.invalidItems > 0 ? `${count(of.validItems)} of ${counted(of.totalItems, 'row')} are good, ${count(of.invalidItems)} are not` : `All ${counted(of.totalItems, 'row')} are good`;
  const files = of.remoteFiles;
  return (
    <>
      <p role="status"><strong>{words}</strong>{of.estimate.seconds > 0 && <span class="soft">, about {span(of.estimate.seconds)} to draw</span>}</p>
      <Bar label={words} parts={[{ part: 'done', n: of.validItems }, { part: 'failed', n: of.invalidItems }]} />
      {files.missing > 0 && <Note level="warn"><p>{counted(files.missing, 'remote picture')} of {count(files.checked)} can’t be had: see the rows below.</p></Note>}
      <ul class="samples">
        {of.sample.map((s) => (
          <li key={s.index}>
            {s.url ? (s.format === 'pdf' ? <a class="button" href={new URL(s.url, location.href).pathname}>PDF of {s.key}</a> : <a href={new URL(s.url, location.href).pathname} target="_blank" rel="noopener"><img src={new URL(s.url, location.href).pathname} alt={`Row ${s.key} as it is drawn`} width={s.width} height={s.height} /></a>) : <Note level="error"><p>{s.error}</p></Note>}
            <span class="small soft">{s.key}</span>
            {s.warnings?.map((w) => <span key={`${w.code}${w.layer}`} class="chip" data-level="warn" title={w.message}>{warningName(w.code)}{w.layer && `: ${w.layer}`}</span>)}
          </li>
        ))}
      </ul>
      {of.errors.length > 0 && <Table label="Bad rows" columns={columns} rows={of.errors} id={(e) => String(e.index)} />}
      {of.truncated && <p class="soft small">The first {count(of.errors.length)} bad rows are shown, of {count(of.invalidItems)}.</p>}
    </>
  );
}
