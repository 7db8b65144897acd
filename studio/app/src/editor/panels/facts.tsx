// What layers are called, what they are for, and whether they may be changed or seen.

import { useState } from 'preact/hooks';

import { Field, Input, Select, Tick } from '../../ui/field.tsx';
import type { Edit } from './edit.ts';
import { Section } from './property.tsx';

const roles = ['headline', 'body', 'image', 'logo', 'cta', 'badge', 'background'];

export function LayerFacts({ edit, page }: { edit: Edit; page: boolean }) {
  const { doc, first } = edit;
  const name = edit.attr('p-name'), role = edit.attr('p-role');
  const [named, setNamed] = useState<string>();
  const [id, setId] = useState<string>();
  const one = edit.nodes.length === 1;
  const all = edit.nodes.every((n) => n.hidden || edit.size !== null && n.hiddenIn?.includes(edit.size));
  const rename = () => {
    if (named !== undefined && named.trim() !== (name.value ?? '')) void edit.setAttr('Rename', 'p-name', named.trim() || null);
    setNamed(undefined);
  };
  const reid = () => {
    if (id !== undefined && id !== (first.id ?? '') && id !== '') {
      void doc.apply([first.address.startsWith('/') ? { op: 'ensure_id', path: first.address, id } : { op: 'set_id', id: first.address, to: id }], { label: 'Change the id', select: [id] });
    }
    setId(undefined);
  };
  const enter = (commit: () => void) => (e: KeyboardEvent) => {
    if (e.key === 'Enter') commit();
    e.stopPropagation();
  };
  return (
    <Section title="Layer" open={false}>
      {one && <Field label="Name"><Input value={named ?? name.value ?? ''} placeholder={first.id} disabled={!edit.can('set_attr')} change={setNamed} onBlur={rename} onKeyDown={enter(rename)} /></Field>}
      {one && <Field label="Id" help={id !== undefined && id !== first.id ? 'Sizes and rows that name it by its id: those of this document follow, rows elsewhere do not.' : undefined}><Input class="input mono" value={id ?? first.id ?? ''} placeholder="none yet" disabled={!edit.can('set_id') && first.id !== undefined} change={setId} onBlur={reid} onKeyDown={enter(reid)} /></Field>}
      {!page && <Field label="Role"><Select value={role.value ?? ''} disabled={!edit.can('set_attr')} choices={[{ value: '', label: role.mixed ? 'mixed' : 'none' }, ...roles]} change={(value) => void edit.setAttr('Role', 'p-role', value || null)} /></Field>}
      {!page && <Tick label={edit.size ? `Hidden in ${edit.size}` : 'Hidden'} checked={all} disabled={!edit.can('set_hidden') && !edit.can('set_style')} change={(hidden) => void edit.send(hidden ? 'Hide' : 'Show', (of) => [{ op: 'set_hidden', id: of, hidden, ...(edit.size ? { size: edit.size } : {}) }])} />}
      <Tick label="Locked" checked={edit.nodes.every((n) => n.locked)} change={(on) => void edit.setAttr(on ? 'Lock' : 'Unlock', 'p-lock', on ? '' : null)} />
      {page && one && <Field label="Size of this page" help="A page of its own size, in the default size."><Select value={edit.attr('p-size').value ?? ''} choices={[{ value: '', label: 'as all' }, ...doc.manifest.value.sizes.map((s) => s.name)]} change={(value) => void edit.setAttr('Size of the page', 'p-size', value || null)} /></Field>}
    </Section>
  );
}
