// The browsers that draw.

import type { Browser, System } from '../../api/ops.ts';
import { Empty, type Level, Mark, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { bytes, count } from '../../ui/words.ts';

const levels: Record<string, Level> = { idle: 'ok', ready: 'ok', busy: 'busy', drawing: 'busy', starting: 'busy', failed: 'error', resting: 'warn', stopped: 'quiet' };

const columns: Column<Browser>[] = [
  { name: 'Browser', cell: (b) => String(b.id) },
  { name: 'State', cell: (b) => <div class="why"><Mark level={b.error ? 'error' : levels[b.state] ?? 'quiet'}>{b.state}</Mark>{b.error && <span class="small wrap">{b.error}</span>}</div> },
  { name: 'Draws', cell: (b) => (b.current === undefined || b.current === '' ? <span class="soft">nothing</span> : String(b.current)) },
  { name: 'Served', cell: (b) => count(b.served), number: true },
  { name: 'Restarts', cell: (b) => count(b.restarts), number: true },
  { name: 'Memory', cell: (b) => bytes(b.rssBytes), number: true },
  { name: 'Started', cell: (b) => <When time={b.startedAt} /> },
  { name: 'Version', cell: (b) => b.version },
  { name: 'Process', cell: (b) => String(b.pid), number: true },
];

export function Chrome({ of: chrome }: { of: System['chrome'] }) {
  return (
    <section aria-labelledby="chrome">
      <h2 id="chrome">Chrome</h2>
      {!chrome && <Empty title="No browser draws here" command="pictifyd doctor"><p>This daemon was started without the part that renders, or found no Chrome. The command says what is missing.</p></Empty>}
      {chrome && (
        <>
          <p class="soft">{chrome.lanes.staged
            ? `The fast lane is open: ${count(chrome.lanes.agreed)} pictures were compared with the plain one and agreed, ${count(chrome.lanes.refused)} did not and took the plain one.`
            : 'Only the plain lane is used: each picture loads a page of its own.'}</p>
          <Table label="Browsers" columns={columns} rows={chrome.browsers} id={(b) => String(b.id)} />
        </>
      )}
    </section>
  );
}
