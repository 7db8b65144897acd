// The form of a source or a sink: made of the schema of its kind, tested before
// it is saved.

import { useState } from 'preact/hooks';

import { Failure, post } from '../../api/client.ts';
import type { ConnectionTest, Kind } from '../../api/ops.ts';
import { Field, Input } from '../../ui/field.tsx';
import { type Faults, SchemaForm } from '../../ui/schema/form.tsx';
import type { Document, Schema } from '../../ui/schema/shape.ts';
import { Trouble } from '../../ui/show.tsx';
import { Steps } from './steps.tsx';
import { type Side, sides } from './words.ts';

// faultsOf are what the daemon finds wrong, by the field where it stands.
function faultsOf(error: unknown, test: ConnectionTest | undefined): Faults {
  const faults: Faults = {};
  if (error instanceof Failure) for (const e of error.errors) if (e.field) faults[e.field] ??= e.message;
  for (const s of test?.steps ?? []) if (!s.ok && !s.skipped && s.path) faults[s.path] ??= s.message;
  return faults;
}

/** ConnectionForm edits the configuration of a kind. name is set where there is one already. */
export function ConnectionForm({ side, kind, name, config, save }: { side: Side; kind: Kind; name?: string; config: Document; save: (body: Document) => Promise<unknown> }) {
  const words = sides[side];
  const [called, setCalled] = useState(name ?? '');
  const [value, setValue] = useState(config);
  const [error, setError] = useState<unknown>();
  const [test, setTest] = useState<ConnectionTest>();
  const [busy, setBusy] = useState('');
  const body = () => ({ ...(called ? { name: called } : {}), kind: kind.kind, ...value });

  const run = async (what: string, act: () => Promise<unknown>) => {
    setBusy(what);
    setError(undefined);
    await act().catch(setError);
    setBusy('');
  };
  const check = () => run('test', async () => {
    setTest(undefined);
    setTest(await post<ConnectionTest>(`/${words.many}/test`, body()));
  });
  const submit = (e: Event) => {
    e.preventDefault();
    void run('save', () => save(body()));
  };
  const faults = faultsOf(error, test);
  return (
    <form class="stack narrow" onSubmit={submit}>
      {!name && <Field label="Name" help={`As bindings call the ${words.one}.`} wrong={faults.name}><Input value={called} change={setCalled} required placeholder={side === 'source' ? 'products' : 'shop-hook'} /></Field>}
      <SchemaForm schema={kind.schema as Schema} value={value} change={setValue} faults={faults} skip={['kind', 'name']} />
      {error !== undefined && <Trouble error={error} />}
      <div class="row">
        <button type="button" class="button" disabled={busy !== ''} onClick={check}>{busy === 'test' ? 'Testing …' : 'Test the connection'}</button>
        <button type="submit" class="button strong" disabled={busy !== ''}>{name ? 'Save' : `Make the ${words.one}`}</button>
      </div>
      {test && <Steps of={test} take={side === 'source' && !value.key ? (key) => setValue({ ...value, key: key.length === 1 ? key[0] : key }) : undefined} />}
    </form>
  );
}

