// A button that asks the daemon for something, and says how that went.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Confirm } from './dialog.tsx';
import { toast, tell } from './toast.tsx';

/** Act is a button for one request. With confirm it asks first. */
export function Act({ act, done, then, kind = '', confirm, disabled, children }: {
  act: () => Promise<unknown>; done: string; then?: () => void; kind?: 'strong' | 'danger' | 'plain' | '';
  confirm?: { title: string; question: ComponentChildren }; disabled?: boolean; children: ComponentChildren;
}) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const finish = () => {
    toast(done);
    then?.();
  };
  const go = async () => {
    setBusy(true);
    try {
      await act();
      finish();
    } catch (e) {
      tell(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class={`button ${kind}`} disabled={busy || disabled} onClick={() => (confirm ? setAsking(true) : void go())}>{children}</button>
      {asking && confirm && <Confirm {...confirm} verb={typeof children === 'string' ? children : 'Go on'} danger={kind === 'danger'} act={async () => { await act(); finish(); }} close={() => setAsking(false)} />}
    </>
  );
}
