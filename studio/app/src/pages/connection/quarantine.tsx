// What came from a source and could not become rows: tried again once it is
// mended, or discarded.

import { useEffect, useState } from 'preact/hooks';

import { get, post, query } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Connection, Poison } from '../../api/ops.ts';
import { Act } from '../../ui/act.tsx';
import { useLoad } from '../../ui/load.ts';
import { Mark, Trouble, When } from '../../ui/show.tsx';
import { Table } from '../../ui/table.tsx';
import { tell, toast } from '../../ui/toast.tsx';
import { counted } from '../../ui/words.ts';

interface Page { quarantined: Poison[]; next?: string }

export function Quarantine({ of: c, at }: { of: Connection; at: string }) {
  const first = useLoad<Page>(`${at}/quarantine`, [changes.value]);
  const [more, setMore] = useState<Page>();
  const [picked, setPicked] = useState(new Set<string>());
  const [busy, setBusy] = useState(false);
  useEffect(() => setMore(undefined), [first.data]);
  const rows = [...(first.data?.quarantined ?? []), ...(more?.quarantined ?? [])];
  const next = more ? more.next : first.data?.next;
  const onward = next && !busy
    ? () => {
      setBusy(true);
      get<Page>(`${at}/quarantine${query({ after: next })}`).then((page) => setMore((was) => ({ quarantined: [...(was?.quarantined ?? []), ...page.quarantined], next: page.next })), tell).finally(() => setBusy(false));
    }
    : undefined;
  const chosen = rows.filter((r) => picked.has(r.position)).map((r) => r.position);
  const which = chosen.length > 0 ? counted(chosen.length, 'row') : 'all';
  const body = chosen.length > 0 ? { positions: chosen } : {};
  const then = () => {
    setPicked(new Set());
    first.again();
  };
  const replay = async () => {
    const done = await post<{ replayed: number; stale: number; stillBroken: number }>(`${at}/quarantine/replay`, body);
    toast(`${counted(done.replayed, 'row')} taken${done.stale > 0 ? `, ${done.stale} were older than what is there` : ''}${done.stillBroken > 0 ? `, ${done.stillBroken} still wrong` : ''}`);
  };
  if (first.error !== undefined && !first.data) return <Trouble error={first.error} again={first.again} />;
  if (first.data && rows.length === 0) return <p><Mark level="ok">No row is kept out</Mark></p>;
  const replays = rows.some((r) => r.replays);
  const stays = rows.some((r) => r.at); // of a stream: what a reading finds goes with the next one
  return (
    <>
      <div class="spread">
        <p class="soft">{replays ? 'Mend what is wrong, then replay: a row that a newer state has come for meanwhile is dropped.' : `The source is read whole each time: mend its rows there, and the next reading of ${c.name} takes them.`}</p>
        <div class="row">
          {replays && <Act act={replay} done="They were tried again" then={then}>{`Replay ${which}`}</Act>}
          {stays && <Act kind="danger" act={() => post(`${at}/quarantine/discard`, body)} done="They are forgotten" then={then} confirm={{ title: `Discard ${which}?`, question: <p>What came of them is forgotten. The rows stay as they were before.</p> }}>{`Discard ${which}`}</Act>}
        </div>
      </div>
      <Table label="What is kept out" rows={rows} id={(r) => r.position} more={onward} {...(stays ? { picked, pick: setPicked } : {})} columns={[
        { name: 'Key', cell: (r) => r.name || <span class="soft">none</span> },
        { name: 'Why', cell: (r) => <span class="wrap"><strong>{r.reason.replaceAll('_', ' ')}</strong>: {r.detail}</span> },
        { name: 'Came', cell: (r) => (r.at ? <When time={r.at} /> : <span class="soft">with each reading</span>) },
        { name: 'Tries', cell: (r) => (r.tries > 0 ? <>{r.tries}, <When time={r.triedAt} /></> : '0') },
        { name: 'Place', cell: (r) => <code class="wrap">{r.position}</code> },
      ]} />
    </>
  );
}
