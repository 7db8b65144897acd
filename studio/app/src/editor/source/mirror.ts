// The source in CodeMirror, with the modes for HTML and the CSS in it.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, EditorState, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, MatchDecorator, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { tags as t } from '@lezer/highlight';

import { type Fault, rootIn, setFaults, shared } from '../fields/mirror.ts';
import type { Splice } from './merge.ts';

/** told marks what came from the document rather than from the keyboard. */
const told = Annotation.define<boolean>();

const setShown = StateEffect.define<{ from: number; to: number } | null>();
const shown = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, change) {
    let next = value.map(change.changes);
    for (const effect of change.effects) {
      if (effect.is(setShown)) next = effect.value && effect.value.from < effect.value.to ? Decoration.set(Decoration.mark({ class: 'of-selection' }).range(effect.value.from, Math.min(effect.value.to, change.newDoc.length))) : Decoration.none;
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const braces = new MatchDecorator({ regexp: /\{\{(?:"[^"\n]*"|'[^'\n]*'|(?!\}\}).)*\}\}/g, decoration: Decoration.mark({ class: 'braces' }) });
const expressions = ViewPlugin.fromClass(class {
  marks: DecorationSet;
  constructor(view: EditorView) {
    this.marks = braces.createDeco(view);
  }
  update(update: ViewUpdate) {
    this.marks = braces.updateDeco(update, this.marks);
  }
}, { decorations: (plugin) => plugin.marks });

const colours = HighlightStyle.define([
  { tag: [t.tagName, t.angleBracket], color: 'var(--accent)' },
  { tag: [t.attributeName, t.propertyName], color: 'var(--warn)' },
  { tag: [t.attributeValue, t.string], color: 'var(--ink)' },
  { tag: [t.number, t.unit, t.color, t.atom], color: 'var(--focus)' },
  { tag: [t.comment, t.documentMeta, t.processingInstruction], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: t.invalid, color: 'var(--bad)' },
]);

const look = EditorView.theme({
  '&': { height: '100%' },
  '.cm-scroller': { lineHeight: '1.5', overflow: 'auto' },
  '.braces': { backgroundColor: 'var(--accent-soft)', borderRadius: '3px' },
  '.of-selection': { backgroundColor: 'color-mix(in srgb, var(--mat) 80%, transparent)', boxShadow: 'inset 2px 0 var(--accent)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--mat)', border: '0', color: 'var(--soft)' },
});

export interface SourceOptions {
  value: string;
  typed: (text: string) => void;
  went: (offset: number) => void; // where a person put the cursor
  save: () => void;
}

/** A Source is the text as it stands in the editor. */
export interface Source {
  text: () => string;
  splice: (s: Splice) => void; // what came from the document
  faults: (faults: Fault[]) => void;
  show: (span: { from: number; to: number } | null, scroll: boolean) => void;
  goTo: (from: number, to: number) => void;
  focused: () => boolean;
  end: () => void;
}

export function source(host: HTMLElement, options: SourceOptions): Source {
  const root = rootIn(host);
  const view = new EditorView({
    root,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        lineNumbers(), foldGutter(), codeFolding(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion(), highlightSelectionMatches(), search({ top: true }), html({ matchClosingTags: true, selfClosingTags: false }), syntaxHighlighting(colours), shared, look, shown, expressions,
        EditorState.lineSeparator.of('\n'),
        keymap.of([{ key: 'Mod-s', run: () => (options.save(), true) }, ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': 'Source of the template. Escape, then Tab leaves it.' }),
        EditorView.updateListener.of((update) => {
          const mine = !update.transactions.some((tr) => tr.annotation(told));
          if (update.docChanged && mine) options.typed(update.state.doc.toString());
          if (update.selectionSet && mine && update.view.hasFocus) options.went(update.state.selection.main.head);
        }),
      ],
    }),
  });
  root.replaceChildren(view.dom);
  return {
    text: () => view.state.doc.toString(),
    splice: (s) => view.dispatch({ changes: { from: s.from, to: s.to, insert: s.text }, annotations: told.of(true) }),
    faults: (faults) => view.dispatch({ effects: setFaults.of(faults) }),
    show: (span, scroll) => view.dispatch({ effects: [setShown.of(span), ...(span && scroll ? [EditorView.scrollIntoView(Math.min(span.from, view.state.doc.length), { y: 'center' })] : [])] }),
    goTo: (from, to) => {
      const length = view.state.doc.length;
      view.dispatch({ selection: { anchor: Math.min(from, length), head: Math.min(to, length) }, effects: EditorView.scrollIntoView(Math.min(from, length), { y: 'center' }), annotations: told.of(true) });
      view.focus();
    },
    focused: () => view.hasFocus,
    end: () => view.destroy(),
  };
}
