// A document as JSON, to be changed as a whole.

import { useState } from 'preact/hooks';

import { Field } from './field.tsx';
import { Trouble } from './show.tsx';

/** JsonEditor saves a document that was changed; what is wrong with it is said where it stands. */
export function JsonEditor({ value, save, label = 'Configuration, as JSON' }: { value: unknown; save: (value: unknown) => Promise<unknown>; label?: string }) {
  const before = JSON.stringify(value ?? {}, null, 2);
  const [text, setText] = useState(before);
  const [wrong, setWrong] = useState('');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    setWrong('');
    setError(undefined);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (fault) {
      setWrong(`This is no JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
      return;
    }
    setBusy(true);
    await save(body).catch(setError);
    setBusy(false);
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field label={label} wrong={wrong}>
        <textarea class="input mono" rows={Math.min(24, before.split('\n').length + 2)} value={text} spellcheck={false} onInput={(e) => setText(e.currentTarget.value)} />
      </Field>
      {error !== undefined && <Trouble error={error} />}
      <div class="row">
        <button type="submit" class="button strong" disabled={busy || text === before}>Save</button>
        {text !== before && <button type="button" class="button" onClick={() => setText(before)}>As it was</button>}
      </div>
    </form>
  );
}
