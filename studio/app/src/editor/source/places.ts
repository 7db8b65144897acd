// Which layer stands at a place in the source, and where in it something is wrong.

import type { Failure } from '../../api/client.ts';
import type { DocNode } from '../model.ts';

/** nodeAt is the innermost node that a place in the source belongs to. */
export function nodeAt(nodes: Iterable<DocNode>, offset: number): DocNode | undefined {
  let best: DocNode | undefined;
  for (const n of nodes) {
    if (offset < n.span[0] || offset > n.span[1]) continue;
    if (!best || n.span[1] - n.span[0] <= best.span[1] - best.span[0]) best = n;
  }
  return best;
}

/** offsetAt is the offset of a line and a column, both from 1; the end of the line where it is shorter. */
export function offsetAt(text: string, line: number, column = 1): number {
  let at = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  const end = text.indexOf('\n', at);
  return Math.min(at + Math.max(column, 1) - 1, end < 0 ? text.length : end);
}

interface Placed {
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
  message: string;
  hint?: string;
}

/** spanOf is where something is wrong: what it says, or the word that begins there. */
export function spanOf(text: string, placed: Placed): { from: number; to: number } | undefined {
  if (!placed.line) return undefined;
  const from = offsetAt(text, placed.line, placed.column);
  if (placed.endLine) return { from, to: Math.max(offsetAt(text, placed.endLine, placed.endColumn), from + 1) };
  const word = /^[\w#.-]+|^<[\w/]*|^./.exec(text.slice(from, from + 80));
  return { from, to: from + (word?.[0].length ?? 1) };
}

/** faultsIn are the errors of a refused text at their places; those without a place come last, without one. */
export function faultsIn(text: string, failure: Failure): { from: number; to: number; message: string; hint?: string; placed: boolean }[] {
  const errors = (failure.errors.length > 0 ? failure.errors : [{ message: failure.detail }]) as Placed[];
  return errors.map((e) => ({ message: e.message, hint: e.hint, placed: spanOf(text, e) !== undefined, ...(spanOf(text, e) ?? { from: 0, to: 0 }) }));
}
