// The keyboard of the canvas and the layers. Fields and dialogs keep their own
// keys.

import { signal } from '@preact/signals';

import * as commands from './commands.ts';
import { openCopilot } from './copilot/open.ts';
import type { Doc } from './document.ts';
import { Nudge } from './gestures.ts';
import type { Pointer } from './pointer.ts';
import type { Stage } from './stage.ts';
import type { TextEditing } from './text.ts';

/** sheet says that the list of shortcuts is open. */
export const sheet = signal(false);

export const shortcuts: [title: string, keys: [keys: string, does: string][]][] = [
  ['Choose', [['Click', 'the layer, or the group that it stands in'], ['Double click', 'into a group; a text to write in'], ['Ctrl click', 'the innermost layer'], ['Shift click', 'one more, or one less'], ['Tab, Shift Tab', 'the next, the one before'], ['Ctrl A', 'all'], ['Esc', 'out of the gesture, the text, the group, the selection']]],
  ['Move and shape', [['Arrows', '1 px'], ['Shift arrows', '10 px'], ['Ctrl arrows', 'wider, narrower, higher, lower by 1 px; with Shift 10 px'], ['Alt , and .', 'turn by 1°; with Shift 15°'], ['Shift while dragging', 'one axis; proportions; steps of 15°'], ['Alt while dragging', 'a copy; from the middle'], ['Ctrl while dragging', 'no snapping']]],
  ['Change', [['Ctrl Z, Ctrl Shift Z', 'undo, redo'], ['Ctrl C, X, V', 'copy, cut, paste'], ['Ctrl D', 'duplicate'], ['Ctrl G, Ctrl Shift G', 'group, ungroup'], ['[ and ]', 'backward, forward; with Shift to the back, the front'], ['Del', 'delete'], ['Enter', 'write in the text, enter the group'], ['Ctrl L', 'lock or unlock'], ['Ctrl Shift H', 'hide or show'], ['F2', 'rename, in the layers']]],
  ['Copilot', [['Ctrl K', 'say what should change'], ['Enter, Shift Enter', 'send; a new line'], ['Esc', 'back to the canvas']]],
  ['Look', [['1', 'fit the page'], ['0', '100 %'], ['2', 'fit the selection'], ['+ and −, Ctrl wheel', 'zoom'], ['Wheel, Space and drag', 'move the page'], ['?', 'this list']]],
];

const typing = (e: KeyboardEvent) => {
  const at = e.target as HTMLElement | null;
  return at?.closest?.('input, textarea, select, [contenteditable], dialog, .cm-editor, [data-keys=own]') != null;
};

/** Holds of the tree of layers: its arrows are its own. */
const inTree = (e: KeyboardEvent) => (e.target as HTMLElement | null)?.closest?.('[role=tree], [role=tablist], [role=menu]') != null;

export function listen(doc: Doc, stage: Stage, pointer: Pointer, text: TextEditing): () => void {
  const nudge = new Nudge(doc), stop = new AbortController(), { signal } = stop;
  const down = (e: KeyboardEvent) => {
    if (typing(e) || doc.editing.value) return;
    pointer.held(e);
    if (e.key === ' ' && !inTree(e) && (e.target as HTMLElement).tagName !== 'BUTTON') {
      pointer.space = true;
      e.preventDefault();
      return;
    }
    const act = actionOf(e, doc, stage, pointer, text, nudge);
    if (!act) return;
    e.preventDefault();
    if (!e.key.startsWith('Arrow')) nudge.end();
    act();
  };
  const up = (e: KeyboardEvent) => {
    pointer.held(e);
    if (e.key === ' ') pointer.space = false;
    if (e.key.startsWith('Arrow')) nudge.end();
  };
  addEventListener('keydown', down, { signal });
  addEventListener('keyup', up, { signal });
  addEventListener('blur', () => (pointer.space = false), { signal });
  return () => stop.abort();
}

const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function actionOf(e: KeyboardEvent, doc: Doc, stage: Stage, pointer: Pointer, text: TextEditing, nudge: Nudge): (() => void) | null {
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key, selected = doc.selection.value;
  if (key === 'Escape') return pointer.busy ? pointer.cancel : selected.length > 0 || doc.scope.value ? () => out(doc) : null;
  if (pointer.busy) return null;
  const arrow = arrows[key];
  if (arrow && !inTree(e) && selected.length > 0) {
    const step = e.shiftKey ? 10 : 1;
    if (e.ctrlKey || e.metaKey) return () => commands.grow(doc, arrow[0] * step, arrow[1] * step);
    return () => nudge.by(arrow[0] * step, arrow[1] * step);
  }
  if (e.ctrlKey || e.metaKey) {
    return {
      z: () => void (e.shiftKey ? doc.redo() : doc.undo()), y: () => void doc.redo(), d: () => commands.duplicate(doc), a: () => commands.selectAll(doc),
      g: () => (e.shiftKey ? commands.ungroup(doc) : commands.group(doc)), l: () => commands.toggleLock(doc), k: openCopilot, ...(e.shiftKey ? { h: () => commands.toggleHidden(doc) } : {}),
    }[key] ?? null;
  }
  if (e.altKey) {
    const turn = { Comma: -1, Period: 1 }[e.code];
    return turn && selected.length > 0 ? () => commands.turn(doc, turn * (e.shiftKey ? 15 : 1)) : null;
  }
  if (key === 'Tab' && (e.target as HTMLElement).id === 'page' && doc.selection.value.length > 0) return next(doc, e.shiftKey ? -1 : 1);
  if (inTree(e) && key === 'Enter') return null;
  const onButton = (e.target as HTMLElement).tagName === 'BUTTON' || (e.target as HTMLElement).tagName === 'A';
  return {
    Delete: () => commands.remove(doc), Backspace: () => commands.remove(doc),
    ...(onButton ? {} : { Enter: () => enter(doc, text) }),
    '[': () => commands.reorder(doc, 'backward'), ']': () => commands.reorder(doc, 'forward'), '{': () => commands.reorder(doc, 'back'), '}': () => commands.reorder(doc, 'front'),
    0: () => stage.zoomTo(1), 1: () => stage.fit(), 2: () => stage.fitTo(selected.map((a) => doc.box(a)).filter((b) => b !== null)),
    '+': () => stage.zoomTo(stage.scale.value * 1.25), '-': () => stage.zoomTo(stage.scale.value / 1.25), '?': () => (sheet.value = true),
  }[key] ?? null;
}

function out(doc: Doc): void {
  const { value: scope } = doc.scope;
  if (!scope) return doc.select([]);
  const parent = doc.node(scope)?.parent ?? '';
  doc.scope.value = parent === doc.page.value ? '' : parent;
  doc.select([scope]);
}

/** next goes on among the layers beside the selected one; null at the end, where Tab leaves the canvas. */
function next(doc: Doc, by: number): (() => void) | null {
  const holder = doc.node(doc.scope.value || doc.page.value), all = (holder?.children ?? []).filter((a) => doc.box(a));
  const to = all[all.indexOf(doc.selection.value.at(-1) ?? '') + by];
  return to ? () => doc.select([to]) : null;
}

function enter(doc: Doc, text: TextEditing): void {
  const [address] = doc.selection.value, n = address ? doc.node(address) : undefined;
  if (!n) {
    const first = doc.node(doc.scope.value || doc.page.value)?.children.find((a) => doc.box(a));
    if (first) doc.select([first]);
    return;
  }
  if ((n.kind === 'group' || n.kind === 'stack') && n.children[0]) {
    doc.scope.value = n.address;
    doc.select([n.children[0]]);
  } else text.begin(n.address);
}
