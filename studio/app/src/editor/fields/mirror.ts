// What every CodeMirror here shares. It stands in a shadow root: there it uses
// constructed style sheets, while in the document it would add <style>, which
// the page's policy forbids. Loaded only when somebody edits text.

import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, hoverTooltip } from '@codemirror/view';

/** A Fault is something wrong from one place to another, in UTF-16 units. */
export interface Fault {
  from: number;
  to: number;
  message: string;
  hint?: string;
  level?: 'error' | 'warning';
}

/** rootIn is the shadow root of a host, which it gets once. */
export const rootIn = (host: HTMLElement): ShadowRoot => host.shadowRoot ?? host.attachShadow({ mode: 'open' });

/** setFaults says anew what is wrong. */
export const setFaults = StateEffect.define<Fault[]>();

const kept = StateField.define<{ faults: Fault[]; marks: DecorationSet }>({
  create: () => ({ faults: [], marks: Decoration.none }),
  update(value, change) {
    for (const effect of change.effects) if (effect.is(setFaults)) return { faults: effect.value, marks: marksOf(effect.value, change.newDoc.length) };
    if (!change.docChanged) return value;
    const faults = value.faults.map((f) => ({ ...f, from: change.changes.mapPos(f.from, 1), to: change.changes.mapPos(f.to, -1) })).filter((f) => f.from < f.to);
    return { faults, marks: value.marks.map(change.changes) };
  },
  provide: (field) => EditorView.decorations.from(field, (value) => value.marks),
});

function marksOf(faults: Fault[], length: number): DecorationSet {
  const marks = faults.flatMap((f) => {
    const to = Math.min(Math.max(f.to, f.from + 1), length), from = Math.min(f.from, Math.max(0, to - 1));
    return from < to ? [Decoration.mark({ class: `fault ${f.level ?? 'error'}`, attributes: { 'data-message': f.message } }).range(from, to)] : [];
  });
  return Decoration.set(marks, true);
}

/** faultsOf are those that stand now. */
export const faultsOf = (view: EditorView): Fault[] => view.state.field(kept).faults;

const told = hoverTooltip((view, at) => {
  const fault = faultsOf(view).find((f) => f.from <= at && at <= Math.max(f.to, f.from + 1));
  if (!fault) return null;
  const dom = document.createElement('div');
  dom.className = 'told';
  dom.textContent = fault.hint ? `${fault.message}: ${fault.hint}` : fault.message;
  return { pos: fault.from, end: fault.to, above: true, create: () => ({ dom }) };
});

const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'transparent', fontSize: '.88rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { fontFamily: 'var(--mono)', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection': { backgroundColor: 'var(--accent-soft) !important' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--mat) 55%, transparent)' },
  '.cm-gutters': { backgroundColor: 'var(--card)', color: 'var(--soft)', borderRight: '1px solid var(--line)' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '.45rem', boxShadow: 'var(--lift)', zIndex: '50' },
  '.cm-tooltip .told': { padding: '.3rem .5rem', maxWidth: '24rem', fontSize: '.82rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '.85rem', maxHeight: '14rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '.15rem .5rem', display: 'flex', gap: '.6rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { marginLeft: 'auto', color: 'var(--soft)', fontStyle: 'normal', maxWidth: '16rem', overflow: 'hidden', textOverflow: 'ellipsis' },
  '.cm-completionInfo': { padding: '.4rem .6rem', maxWidth: '20rem', fontSize: '.82rem', whiteSpace: 'pre-line', fontFamily: 'system-ui, sans-serif' },
  '.cm-completionIcon': { display: 'none' },
  '.fault': { textDecoration: 'underline wavy var(--bad-line)', textUnderlineOffset: '.2em', textDecorationSkipInk: 'none' },
  '.fault.warning': { textDecorationColor: 'var(--warn-line)' },
  '.cm-panels': { backgroundColor: 'var(--card)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-back)', outline: '1px solid var(--warn-line)' },
});

/** shared is the look, and what is wrong underlined and told. */
export const shared: Extension = [look, kept, told];
