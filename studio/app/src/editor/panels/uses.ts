// Where variables and tokens are used, as the daemon told of the document.

import type { Binding, DocNode } from '../model.ts';

/** A Use is one expression that reads a variable. */
export interface Use {
  address: string; // "" where it stands outside of layers
  place: string;
  expression: string;
  span: [number, number];
}

/** readsName says whether an expression reads a variable: its name as a word, in no string, behind no dot, and no call. */
export function readsName(expression: string, name: string): boolean {
  const code = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (quoted) => (expression.includes(`$env[${quoted}]`) && quoted.slice(1, -1) === name ? quoted.slice(1, -1) : '""'));
  const word = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w.$])${word}(?![\\w])(?!\\s*:[^:?]*[,}])`).test(code);
}

/** usesOf are the expressions that read a variable. */
export function usesOf(name: string, nodes: Iterable<DocNode>, outside: Binding[]): Use[] {
  const uses: Use[] = outside.filter((b) => readsName(b.expression, name)).map((b) => ({ address: b.node ?? '', place: b.place, expression: b.expression, span: b.span }));
  for (const n of nodes) for (const b of n.bindings) if (readsName(b.expression, name)) uses.push({ address: n.address, place: b.place, expression: b.expression, span: b.span });
  return uses;
}
