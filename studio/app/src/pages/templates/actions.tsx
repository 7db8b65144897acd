// What may be done to a template: duplicate, export, delete.

import { useState } from 'preact/hooks';

import { path, request } from '../../api/client.ts';
import { duplicate } from '../../api/templates.ts';
import { Act } from '../../ui/act.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Input } from '../../ui/field.tsx';
import { Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';

/** TemplateActions are the buttons; gone is called after a delete, made with the name of a duplicate. */
export function TemplateActions({ name, suggest, gone, made }: { name: string; suggest: (base: string) => string; gone: () => void; made: (name: string) => void }) {
  const [copying, setCopying] = useState(false);
  return (
    <>
      <button type="button" class="button plain" onClick={() => setCopying(true)}>Duplicate</button>
      <a class="button plain" href={path`/templates/${name}/archive.zip`} download={`${name}.zip`}>Export</a>
      <Act act={() => request(path`/templates/${name}`, { method: 'DELETE' })} done={`${name} is deleted`} then={gone} kind="danger"
        confirm={{ title: `Delete ${name}?`, question: <p>All of its versions and its draft go; this can’t be taken back. Pictures that were made of it stay. One that a binding uses is not deleted.</p> }}>Delete</Act>
      {copying && <Duplicate name={name} first={suggest(`${name}-copy`)} close={() => setCopying(false)} made={made} />}
    </>
  );
}

function Duplicate({ name, first, close, made }: { name: string; first: string; close: () => void; made: (name: string) => void }) {
  const [text, setText] = useState(first);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const go = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    try {
      await duplicate(name, text);
      toast(`${text} is made`);
      close();
      made(text);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Duplicate ${name}`} close={close}>
      <form class="stack" onSubmit={go}>
        <Field label="Name of the new template" help="Letters, digits, - and _."><Input value={text} change={setText} required autofocus /></Field>
        {error !== undefined && <Trouble error={error} />}
        <div class="actions"><button type="button" class="button" onClick={close}>Cancel</button><button type="submit" class="button strong" disabled={busy}>Duplicate</button></div>
      </form>
    </Dialog>
  );
}
