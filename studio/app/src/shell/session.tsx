// The session: an HTTP-only cookie that a key is turned into. When the key has
// ended, a field asks for another one, over whatever was being done.

import { useState } from 'preact/hooks';

import { Failure, request, signedOut } from '../api/client.ts';
import { overview } from '../api/live.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { tell } from '../ui/toast.tsx';

export function SignIn() {
  const [key, setKey] = useState('');
  const [wrong, setWrong] = useState('');
  if (!signedOut.value) return null;
  const open = async (e: Event) => {
    e.preventDefault();
    try {
      await request('/session', { method: 'POST', body: { key } });
      setKey('');
      setWrong('');
      signedOut.value = false;
    } catch (fault) {
      setWrong(fault instanceof Failure && fault.status === 401 ? 'This key is not known here, or has ended.' : fault instanceof Error ? fault.message : String(fault));
    }
  };
  return (
    <Dialog title="Your key has ended" close={() => undefined}>
      <form class="stack" onSubmit={open}>
        <p>Give a key to go on. What you were doing stays as it is.</p>
        <Field label="Key" wrong={wrong}><Input type="password" value={key} change={setKey} required autocomplete="current-password" autofocus /></Field>
        <div class="actions"><button type="submit" class="button strong">Go on</button></div>
      </form>
    </Dialog>
  );
}

export function SignOut() {
  if (!overview.value?.keys) return null;
  const leave = () => request('/session', { method: 'DELETE' }).then(() => location.assign('/'), tell);
  return <button type="button" class="button plain" onClick={leave}>Sign out</button>;
}
