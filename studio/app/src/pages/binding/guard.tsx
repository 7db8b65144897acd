// What the guard holds back because too much would change at once, to be looked
// at and let through.

import { useEffect, useState } from 'preact/hooks';

import { get, path, post } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Guard, HeldRow } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useLoad } from '../../ui/load.ts';
import { Mark, Note, Trouble } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Fields } from '../../ui/value.tsx';
import { count, counted, percent } from '../../ui/words.ts';

const becomes: Record<string, { level: 'ok' | 'warn' | 'error' | 'busy'; word: string }> = {
  new: { level: 'ok', word: 'New' },
  changed: { level: 'busy', word: 'Another picture' },
  removed: { level: 'warn', word: 'Loses its picture' },
  failing: { level: 'error', word: 'Could not be drawn' },
  gone: { level: 'warn', word: 'Gone from the source' },
};

export function GuardPart({ of: b }: { of: Binding }) {
  const at = `${path`/bindings/${b.name}`}/guard`;
  const { data, error, again } = useLoad<{ guard: Guard }>(at, [changes.value]);
  if (error !== undefined && !data) return <Trouble error={error} again={again} />;
  if (!data) return <p class="soft">Looking …</p>;
  const { held, limits, accepted } = data.guard;
  const rule = <p class="soft small">It holds when more than {percent(limits.maxChanged)} of the images would change or {percent(limits.maxDeleted)} would go, and more than {count(limits.floor)} of them.</p>;
  if (!held) return <><p><Mark level="ok">Nothing is held</Mark></p>{accepted > 0 && <p>{counted(accepted, 'removal was', 'removals were')} accepted, and did not come yet.</p>}{rule}</>;
  const all = held.changes + held.removals;
  const sum = [held.changes > 0 && counted(held.changes, 'change'), held.removals > 0 && counted(held.removals, 'removal')].filter(Boolean).join(' and ');
  return (
    <>
      <Note level="warn">
        <p><strong>{sum || 'A reading'} held: {held.reason}</strong></p>
        <p>Look at the rows below. If they are right, accept them; if not, mend the source: the next reading replaces what is held. Until then the images stay as they are.</p>
        <p class="row">
          <Act kind="strong" act={() => post(`${at}/accept`, { changes: held.changes, removals: held.removals })} done={`${counted(all, 'row')} let through`} then={again}
            confirm={{ title: `Accept ${sum || 'it'}?`, question: <p>{counted(held.changes, 'image is', 'images are')} drawn anew, and {counted(held.removals, 'image is', 'images are')} removed. Sinks are told of each. If something else is held by then, nothing is done.</p> }}>
            Accept
          </Act>
        </p>
      </Note>
      {rule}
      <Held at={at} first={data.guard} all={all} />
    </>
  );
}

/** Held are the rows that are held, page by page. */
function Held({ at, first, all }: { at: string; first: Guard; all: number }) {
  const [rows, setRows] = useState(first.sample);
  const [next, setNext] = useState(first.next);
  const [open, setOpen] = useState<HeldRow>();
  useEffect(() => {
    setRows(first.sample);
    setNext(first.next);
  }, [first]);
  const more = async () => {
    const page = await get<{ guard: Guard }>(`${at}?after=${encodeURIComponent(next!)}`);
    setRows((was) => [...was.filter((r) => r.becomes !== 'gone'), ...page.guard.sample]);
    setNext(page.guard.next);
  };
  return (
    <section aria-labelledby="held">
      <h2 id="held">What is held <span class="soft">{count(rows.length)} of {count(all)} shown</span></h2>
      <Table label="Rows that are held" columns={columns(setOpen)} rows={rows} id={(r) => `${r.becomes}/${r.key}`} open={setOpen} />
      {next && <p><Act act={more} done="More rows are shown">Show more</Act></p>}
      {open && (
        <Dialog title={open.name} close={() => setOpen(undefined)}>
          {open.error && <Note level="error">{open.error}</Note>}
          {open.texts && <Texts of={open} />}
          <h3>The row now</h3>
          {open.row ? <Fields row={open.row} /> : <p class="soft">The source has it no more.</p>}
          <div class="actions"><button type="button" class="button" onClick={() => setOpen(undefined)}>Close</button></div>
        </Dialog>
      )}
    </section>
  );
}

function Texts({ of: r }: { of: HeldRow }) {
  return <ul class="texts">{r.texts?.map((t, i) => <li key={i}><del class="wrap">{t.before}</del> <ins class="wrap">{t.after}</ins></li>)}</ul>;
}

const columns = (open: (r: HeldRow) => void): Column<HeldRow>[] => [
  { name: 'Row', cell: (r) => <button type="button" class="button plain" onClick={() => open(r)}>{r.name}</button> },
  { name: 'Becomes', cell: (r) => <Mark level={becomes[r.becomes]?.level ?? 'quiet'}>{becomes[r.becomes]?.word ?? r.becomes}</Mark> },
  { name: 'Texts on its picture', cell: (r) => (r.error ? <span class="wrap">{r.error}</span> : r.texts ? <Texts of={r} /> : <span class="soft">–</span>) },
];
