// The toolbar over the canvas: new layers, and what can be done with those that
// are selected.

import { tell } from '../ui/toast.tsx';
import { useRef } from 'preact/hooks';

import * as commands from './commands.ts';
import type { Doc } from './document.ts';
import { insert, insertFiles, templates } from './insert.ts';
import { sheet } from './keys.ts';
import { Menu, type MenuItem } from './menu.tsx';
import type { Stage } from './stage.ts';

function arranging(doc: Doc): (MenuItem | null)[] {
  const n = commands.chosen(doc).length, off = n === 0;
  return [
    { name: 'Align left', off, act: () => commands.align(doc, 'left') },
    { name: 'Align centre', off, act: () => commands.align(doc, 'center') },
    { name: 'Align right', off, act: () => commands.align(doc, 'right') },
    { name: 'Align top', off, act: () => commands.align(doc, 'top') },
    { name: 'Align middle', off, act: () => commands.align(doc, 'middle') },
    { name: 'Align bottom', off, act: () => commands.align(doc, 'bottom') },
    null,
    { name: 'Distribute horizontally', off: n < 3, act: () => commands.distribute(doc, 'x') },
    { name: 'Distribute vertically', off: n < 3, act: () => commands.distribute(doc, 'y') },
  ];
}

function layering(doc: Doc): (MenuItem | null)[] {
  const nodes = commands.chosen(doc), off = nodes.length === 0, any = doc.selected.value.some((n) => n.kind !== 'page');
  return [
    { name: 'Duplicate', keys: 'Ctrl D', off, act: () => commands.duplicate(doc) },
    { name: 'Delete', keys: 'Del', off, act: () => commands.remove(doc) },
    null,
    { name: 'Bring to front', keys: 'Shift ]', off, act: () => commands.reorder(doc, 'front') },
    { name: 'Bring forward', keys: ']', off, act: () => commands.reorder(doc, 'forward') },
    { name: 'Send backward', keys: '[', off, act: () => commands.reorder(doc, 'backward') },
    { name: 'Send to back', keys: 'Shift [', off, act: () => commands.reorder(doc, 'back') },
    null,
    { name: 'Group', keys: 'Ctrl G', off, act: () => commands.group(doc) },
    { name: 'Ungroup', keys: 'Ctrl Shift G', off: !nodes.some((n) => n.kind === 'group'), act: () => commands.ungroup(doc) },
    { name: 'Stack as row', off, act: () => commands.stack(doc, 'row') },
    { name: 'Stack as column', off, act: () => commands.stack(doc, 'column') },
    { name: 'Stack as grid', off, act: () => commands.stack(doc, 'grid') },
    null,
    { name: 'Lock or unlock', keys: 'Ctrl L', off: !any, act: () => commands.toggleLock(doc) },
    { name: 'Hide or show', keys: 'Ctrl Shift H', off, act: () => commands.toggleHidden(doc) },
  ];
}

export function Toolbar({ doc, stage }: { doc: Doc; stage: Stage }) {
  const file = useRef<HTMLInputElement>(null);
  const inserting: (MenuItem | null)[] = [
    ...templates.map((t) => ({ name: t.name, about: t.about, act: () => void insert(doc, t) })), null,
    { name: 'Picture from a file …', act: () => file.current?.click() },
  ];
  return (
    <div class="editor-tools" role="toolbar" aria-label="Layers and tools" onPointerDown={(e) => e.stopPropagation()}>
      <Menu label="Insert a layer" items={inserting}>+ Insert</Menu>
      <Menu label="Align and distribute" items={arranging(doc)}>Align</Menu>
      <Menu label="Arrange the selected layers" items={layering(doc)}>Arrange</Menu>
      <button type="button" class="button" aria-pressed={stage.all.value} title="All sizes side by side" onClick={() => (stage.all.value = !stage.all.value)}>All sizes</button>
      <button type="button" class="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => (sheet.value = true)}>?</button>
      <input ref={file} type="file" accept="image/*" multiple hidden aria-hidden="true" tabIndex={-1} onChange={(e) => {
        const files = [...e.currentTarget.files ?? []];
        e.currentTarget.value = '';
        void insertFiles(doc, files, null).catch(tell);
      }} />
    </div>
  );
}
