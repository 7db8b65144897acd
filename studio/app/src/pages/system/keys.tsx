// API keys: what each may do, and when it was last used. A key is shown once,
// when it is made.

import { useState } from 'preact/hooks';

import { path, post, request } from '../../api/client.ts';
import type { Key, NewKey } from '../../api/ops.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Input, Select, Tick } from '../../ui/field.tsx';
import { useLoad } from '../../ui/load.ts';
import { Copy, Empty, Mark, Note, Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { count, counted } from '../../ui/words.ts';

export function Keys() {
  const { data, error, again } = useLoad<{ keys: Key[] }>('/keys');
  const [making, setMaking] = useState(false);
  return (
    <section aria-labelledby="keys">
      <div class="spread"><h2 id="keys">API keys</h2><button type="button" class="button" onClick={() => setMaking(true)}>New key</button></div>
      {error !== undefined && !data && <Trouble error={error} again={again} />}
      {data && !data.keys.some((k) => k.source === 'config') && <Note level="warn"><p><strong>No key is configured: this daemon answers this machine only, and to everybody on it.</strong></p><p>Put one under <code>server.keys</code> in pictifyd.yaml to open it to others.</p></Note>}
      {data?.keys.length === 0 && <Empty title="No key yet" command="pictifyd keys new ci --scopes renders:write"><p>A program that calls the API brings a key, with no more rights than it needs.</p></Empty>}
      {data && data.keys.length > 0 && <Table label="API keys" columns={columns(again)} rows={data.keys} id={(k) => k.id} />}
      {making && <NewKeyDialog close={() => { setMaking(false); again(); }} />}
    </section>
  );
}

const limits = (k: Key) => [k.rate && `${count(k.rate)} requests a minute`, k.quota && `${count(k.spent ?? 0)} of ${k.quota} spent`].filter(Boolean).join(', ') || 'none';

const columns = (again: () => void): Column<Key>[] => [
  { name: 'Name', cell: (k) => <><strong>{k.name}</strong>{k.start && <code class="soft"> {k.start}…</code>}</> },
  { name: 'State', cell: (k) => <Mark level={k.expired ? 'error' : 'ok'}>{k.expired ? 'Expired' : 'Valid'}</Mark> },
  { name: 'Scopes', cell: (k) => (k.scopes.length === 0 ? 'all' : k.scopes.join(', ')) },
  { name: 'Templates', cell: (k) => (k.templates.length === 0 ? 'all' : k.templates.join(', ')) },
  { name: 'Limits', cell: limits },
  { name: 'Last used', cell: (k) => <When time={k.usedAt} /> },
  { name: 'Expires', cell: (k) => (k.expiresAt && !k.expiresAt.startsWith('0001') ? <When time={k.expiresAt} /> : <span class="soft">never</span>) },
  { name: 'Revoke', cell: (k) => (k.source === 'config' ? <span class="soft small">in pictifyd.yaml</span> : (
    <Act kind="danger" act={() => request(path`/keys/${k.id}`, { method: 'DELETE' })} done={`${k.name} is revoked`} then={again}
      confirm={{ title: `Revoke ${k.name}?`, question: <p>Whoever calls with it is refused from now on, and so are the sessions that were opened with it. This can't be taken back.</p> }}>
      Revoke
    </Act>
  )) },
];

const scopes = ['templates:read', 'templates:write', 'renders:read', 'renders:write', 'bindings:read', 'bindings:write', 'images:read', 'connections:read', 'connections:write', 'experiments:read', 'experiments:write', 'metrics:read', 'admin'];
const lives = [{ value: '', label: 'never' }, { value: '1', label: 'in a day' }, { value: '30', label: 'in 30 days' }, { value: '90', label: 'in 90 days' }, { value: '365', label: 'in a year' }];

function NewKeyDialog({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(new Set<string>());
  const [all, setAll] = useState(false);
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<NewKey>();
  const [error, setError] = useState<unknown>();
  const submit = async (e: Event) => {
    e.preventDefault();
    setError(undefined);
    const expiresAt = days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : undefined;
    await post<{ key: NewKey } | NewKey>('/keys', { name, ...(all ? {} : { scopes: [...chosen] }), ...(expiresAt && { expiresAt }) })
      .then((answer) => setMade(typeof answer.key === 'string' ? (answer as NewKey) : answer.key), setError);
  };
  if (made) {
    return (
      <Dialog title={`The key ${made.name}`} close={close}>
        <p>Copy it now: it is kept only as a digest, and never shown again.</p>
        <div class="command"><pre tabIndex={0}><code>{made.key}</code></pre><Copy text={made.key} /></div>
        <div class="actions"><button type="button" class="button strong" onClick={close}>Done</button></div>
      </Dialog>
    );
  }
  const choose = (scope: string, on: boolean) => setChosen(new Set(scopes.filter((s) => (s === scope ? on : chosen.has(s)))));
  return (
    <Dialog title="New key" close={close}>
      <form class="stack" onSubmit={submit}>
        <Field label="Name" help="Who or what calls with it"><Input value={name} change={setName} required placeholder="ci" /></Field>
        <fieldset class="group">
          <legend>It may</legend>
          <Tick label="do everything" checked={all} change={setAll} />
          {!all && <div class="ticks">{scopes.map((s) => <Tick key={s} label={s} checked={chosen.has(s)} change={(on) => choose(s, on)} />)}</div>}
        </fieldset>
        <Field label="It expires"><Select value={days} change={setDays} choices={lives} /></Field>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions">
          <button type="button" class="button" onClick={close}>Cancel</button>
          <button type="submit" class="button strong" disabled={!all && chosen.size === 0}>{all ? 'Make the key' : `Make a key with ${counted(chosen.size, 'scope')}`}</button>
        </div>
      </form>
    </Dialog>
  );
}
