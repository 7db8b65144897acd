// One line of an expression in CodeMirror, with completion by the daemon.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';

import { type Choice, complete, type Scope } from './expressions.ts';
import { lettersAt, unitsAt } from './letters.ts';
import { type Fault, rootIn, setFaults, shared } from './mirror.ts';

export interface LineOptions {
  value: string;
  label: string;
  hint?: string;
  scope: () => Promise<Scope>;
  typed: (text: string) => void;
  commit: (text: string) => void; // Enter, or the field is left
  cancel: () => void; // Escape
}

/** A Line is an expression that is being written. */
export interface Line {
  set: (text: string) => void;
  faults: (faults: Fault[]) => void;
  focus: () => void;
  end: () => void;
}

function told(choice: Choice): string {
  return [choice.doc, choice.example && `${choice.example.expression} → ${choice.example.result}`].filter(Boolean).join('\n');
}

function completed(scope: LineOptions['scope']) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const typedWord = context.matchBefore(/[\w.]+$/) ?? context.matchBefore(/[|({[,.?:+\-*/<>=]\s*$/);
    if (!context.explicit && !typedWord && text !== '') return null;
    const answer = await complete(text, lettersAt(text, context.pos), await scope()).catch(() => null); // without the daemon one writes on without it
    if (!answer || context.aborted || answer.items.length === 0) return null;
    return {
      from: unitsAt(text, answer.from), to: Math.max(unitsAt(text, answer.to), context.pos), filter: false,
      options: answer.items.map((c) => ({
        label: c.label, type: c.kind, detail: c.detail || c.type, info: told(c) || undefined,
        apply: (view, _, from, to) => view.dispatch({ changes: { from, to, insert: c.insert }, selection: { anchor: from + unitsAt(c.insert, c.cursor) }, userEvent: 'input.complete' }),
      })),
    };
  };
}

/** line makes the editor in a host's shadow root. */
export function line(host: HTMLElement, options: LineOptions): Line {
  const root = rootIn(host);
  const own = Prec.highest(keymap.of([
    { key: 'Tab', run: acceptCompletion },
    { key: 'Enter', run: (view) => completionStatus(view.state) === 'active' ? acceptCompletion(view) : (options.commit(view.state.doc.toString()), true) },
    { key: 'Escape', run: (view) => {
      if (completionStatus(view.state) !== null) return false;
      options.cancel();
      return true;
    } },
  ]));
  const view = new EditorView({
    root,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        own, history(), closeBrackets(), shared,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': options.label, 'aria-multiline': 'false' }),
        EditorState.transactionFilter.of((tr) => (tr.newDoc.lines > 1 ? [tr, { changes: { from: 0, to: tr.newDoc.length, insert: tr.newDoc.toString().replace(/\n/g, ' ') }, sequential: true }] : tr)),
        placeholder(options.hint ?? 'price * 0.9 | currency'),
        autocompletion({ override: [completed(options.scope)], activateOnTyping: true, icons: false }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.typed(update.state.doc.toString());
          if (update.focusChanged && !update.view.hasFocus) options.commit(update.state.doc.toString());
        }),
        EditorView.theme({ '.cm-content': { padding: '.3rem .5rem' }, '.cm-line': { padding: '0' }, '.cm-scroller': { lineHeight: '1.4' } }),
      ],
    }),
  });
  root.replaceChildren(view.dom);
  return {
    set: (text) => text !== view.state.doc.toString() && view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    faults: (faults) => view.dispatch({ effects: setFaults.of(faults) }),
    focus: () => {
      view.focus();
      view.dispatch({ selection: { anchor: view.state.doc.length } });
      if (view.state.doc.length === 0) startCompletion(view);
    },
    end: () => view.destroy(),
  };
}
