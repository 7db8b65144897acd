// What the daemon says about expressions: what they come to, and how they could go on.

import { post } from '../../api/client.ts';
import type { Doc } from '../document.ts';
import type { DocNode } from '../model.ts';
import { unitsAt } from './letters.ts';
import type { Fault } from './mirror.ts';

/** Worth is what an expression comes to for the row in view. */
export interface Worth {
  text: string;
  type: string;
  value: unknown;
  fault?: Fault; // instead of a value
}

interface TestAnswer {
  success: boolean;
  result: unknown;
  resultType: string;
  text: string;
  error?: { message: string; offset: number; line: number; column: number; endLine: number; endColumn: number; hint?: string };
}

/** A Scope is what an expression may read: the row, and the names of the loops around it. */
export interface Scope {
  template: string; // whose draft's variables it may name; "": only those here
  variables: Record<string, unknown>;
  locals: Record<string, unknown>;
}

const one = (line: number, column: number, text: string): number => text.split('\n').slice(0, line - 1).reduce((n, l) => n + [...l].length + 1, 0) + column - 1;

/** worth computes an expression over a scope. It throws a Failure only where the daemon is not reached. */
export async function worth(expression: string, scope: Scope): Promise<Worth> {
  const got = await post<TestAnswer>('/expressions/test', { expression, variables: { ...scope.variables, ...scope.locals } });
  if (!got.error) return { text: got.text, type: got.resultType, value: got.result };
  const from = unitsAt(expression, got.error.offset), to = unitsAt(expression, one(got.error.endLine, got.error.endColumn, expression));
  return { text: '', type: 'error', value: undefined, fault: { from, to: Math.max(to, from), message: got.error.message, hint: got.error.hint } };
}

/** valid says whether an expression can work at all, whatever this row does to it. */
export const valid = async (expression: string, scope: Scope): Promise<boolean> =>
  (await post<{ valid: boolean }>('/expressions/validate', { expression, variables: { ...scope.variables, ...scope.locals } })).valid;

/** A Choice is one way to go on. */
export interface Choice {
  label: string;
  insert: string;
  cursor: number; // letters into insert
  kind: string;
  type?: string;
  detail?: string;
  doc?: string;
  example?: { expression: string; result: string };
}

export interface Completion {
  from: number; // in letters
  to: number;
  items: Choice[];
}

/** complete asks how an expression could go on at a place, in letters. */
export const complete = (expression: string, at: number, scope: Scope): Promise<Completion> =>
  post<Completion>('/expressions/complete', { expression, at, ...(scope.template ? { template: scope.template, draft: true } : {}), variables: scope.variables, locals: scope.locals });

/** loopOf reads "item in list" and "item, i in list". */
export function loopOf(text: string | undefined): { item: string; index?: string; list: string } | undefined {
  const found = /^\s*([A-Za-z_]\w*)\s*(?:,\s*([A-Za-z_]\w*)\s*)?\s+in\s+(.+)$/s.exec(text ?? '');
  return found ? { item: found[1]!, index: found[2], list: found[3]!.trim() } : undefined;
}

/** scopeOf is what an expression at a node may read: of each loop around it the first item. */
export async function scopeOf(doc: Doc, node: DocNode | undefined, place: string): Promise<Scope> {
  const loops: NonNullable<ReturnType<typeof loopOf>>[] = [];
  for (let at = node; at; at = doc.node(at.parent)) {
    if (at === node && place === 'for') continue;
    const loop = loopOf(at.bindings.find((b) => b.place === 'for')?.expression ?? at.attrs['p-for'] ?? at.attrs['data-p-for']);
    if (loop) loops.unshift(loop);
  }
  const scope: Scope = { template: doc.id, variables: { ...Object.fromEntries(doc.manifest.value.variables.map((v) => [v.name, null])), ...doc.row.value.variables }, locals: {} };
  for (const { item, index, list } of loops) {
    const { value } = await worth(list, scope);
    scope.locals[item] = Array.isArray(value) ? value[0] ?? null : null;
    if (index) scope.locals[index] = 0;
  }
  return scope;
}
