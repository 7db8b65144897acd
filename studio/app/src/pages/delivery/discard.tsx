// Giving up dead letters: always with a reason, that stays with them.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Dialog } from '../../ui/dialog.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';

/** DiscardDialog asks for the reason. */
export function DiscardDialog({ title, about, act, done, close, then }: { title: string; about: ComponentChildren; act: (reason: string) => Promise<unknown>; done: string; close: () => void; then: () => void }) {
  const [reason, setReason] = useState('');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const go = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    try {
      await act(reason);
      toast(done);
      close();
      then();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <form class="stack" onSubmit={go}>
        {about}
        <Field label="Reason" help="It is kept with what is given up, with your name."><Input value={reason} change={setReason} required autofocus placeholder="The receiver is gone" /></Field>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions"><button type="button" class="button" onClick={close}>Cancel</button><button type="submit" class="button danger" disabled={busy}>Discard</button></div>
      </form>
    </Dialog>
  );
}
