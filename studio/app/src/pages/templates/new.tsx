// A new template: a name, and what it begins as.

import { useState } from 'preact/hooks';

import { create } from '../../api/templates.ts';
import type { Starter } from '../../api/work.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { useLoad } from '../../ui/load.ts';
import { Trouble } from '../../ui/show.tsx';

/** NewTemplate asks for a name and a starter; suggest finds a name that is free. */
export function NewTemplate({ suggest, close, made }: { suggest: (base: string) => string; close: () => void; made: (name: string) => void }) {
  const starters = useLoad<{ starters: Starter[] }>('/starters');
  const [from, setFrom] = useState('');
  const [name, setName] = useState(suggest('untitled'));
  const [own, setOwn] = useState(false); // the name is the person's own
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const pick = (starter: string) => {
    setFrom(starter);
    if (!own) setName(suggest(starter || 'untitled'));
  };
  const go = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    try {
      await create(name, from);
      made(name);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const choices: { name: string; title: string; about: string }[] = [
    { name: '', title: 'Nothing', about: 'An empty page, 1200 × 630' },
    ...(starters.data?.starters ?? []).map((s) => ({ name: s.name, title: s.title, about: `${s.summary} (${s.sizes.map((z) => `${z.width} × ${z.height}`).join(', ')})` })),
  ];
  return (
    <Dialog title="New template" wide close={close}>
      <form class="stack" onSubmit={go}>
        <fieldset class="starters">
          <legend>Begin with</legend>
          {choices.map((c) => (
            <label key={c.name} class="starter">
              <input type="radio" name="from" value={c.name} checked={from === c.name} onChange={() => pick(c.name)} />
              <span><strong>{c.title}</strong><span class="small soft">{c.about}</span></span>
            </label>
          ))}
        </fieldset>
        {starters.error !== undefined && <Trouble error={starters.error} again={starters.again} />}
        <Field label="Name" help="Letters, digits, - and _. It stands in addresses and can’t be changed."><Input value={name} change={(v) => { setOwn(true); setName(v); }} required /></Field>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions"><button type="button" class="button" onClick={close}>Cancel</button><button type="submit" class="button strong" disabled={busy}>Make and edit</button></div>
      </form>
    </Dialog>
  );
}
