// Dialogs: the browser's own, which keep the focus and give it back.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { Trouble } from './show.tsx';

/** Dialog is open as long as it is shown; close is called when a person ends it. */
export function Dialog({ title, wide, close, children }: { title: string; wide?: boolean; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} class={`sheet${wide ? ' wide' : ''}`} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); close(); }} onClick={(e) => e.target === ref.current && close()}>
      <div>
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** Confirm asks before something that can't be taken back; question says how much it concerns. */
export function Confirm({ title, question, verb, danger, act, close }: {
  title: string; question: ComponentChildren; verb: string; danger?: boolean; act: () => Promise<unknown>; close: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async () => {
    setBusy(true);
    try {
      await act();
      close();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <div>{question}</div>
      {error !== undefined && <Trouble error={error} />}
      <div class="actions">
        <button type="button" class="button" onClick={close}>Cancel</button>
        <button type="button" class={`button ${danger ? 'danger' : 'strong'}`} disabled={busy} onClick={go}>{verb}</button>
      </div>
    </Dialog>
  );
}
