// The processes that share the ledger, where it is more than one.

import type { Process } from '../../api/ops.ts';
import { Mark, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { alone, fleetWords, handParts, heardWords, isOther, roleWords, stateLevels, stateWords } from './fleet.ts';

export function Processes({ of: all, at }: { of: Process[]; at: string }) {
  if (all.length === 0 || alone(all)) return null;
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">Processes</h2>
      <p class="soft">{fleetWords(all)}</p>
      <Table label="Processes" columns={columns(all, at)} rows={all} id={(p) => `${p.place} ${p.since}`} />
    </section>
  );
}

const columns = (all: Process[], at: string): Column<Process>[] => [
  { name: 'Process', cell: (p) => <div class="why"><strong>{p.place}</strong>{p.address && <span class="small soft wrap">{p.address}</span>}</div> },
  { name: 'State', cell: (p) => <div class="why"><Mark level={stateLevels[p.state]}>{stateWords[p.state]}</Mark>{p.cause && <span class="small wrap">{p.cause}</span>}{p.next && <span class="small soft wrap">{p.next}</span>}</div> },
  { name: 'Roles', cell: roleWords },
  { name: 'Ledger', cell: (p) => (p.holder ? <strong>holds it</strong> : <span class="soft">–</span>) },
  { name: 'In hand', cell: (p) => (handParts(p).length === 0 ? <span class="soft">nothing</span> : <div class="why">{handParts(p).map((h) => <a key={h.link} href={h.link}>{h.words}</a>)}</div>) },
  { name: 'Last sign of life', cell: (p) => (p.goneAt ? <>put out <When time={p.goneAt} /></> : heardWords(p, at)) },
  { name: 'Version', cell: (p) => (isOther(p, all) ? <Mark level="warn">{p.version}<span class="hide">, another one than that of the process that holds the ledger</span></Mark> : p.version) },
  { name: 'At work since', cell: (p) => <When time={p.since} /> },
];
