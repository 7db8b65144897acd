// A batch before there is a job: rows that somebody dropped, what they look like,
// and what they would come to.

import { path, query, request } from './client.ts';
import type { DryRun, Variable } from './work.ts';

/** A Table is rows as they were dropped, in a form that a batch takes. */
export interface Table {
  name: string;
  type: string; // media type
  body: Blob;
}

export interface Column {
  name: string;
  type: 'text' | 'number' | 'boolean' | 'date' | 'url' | 'list' | 'object' | 'empty';
  samples: string[];
  empty: number;
  longest: number;
}

/** An Inspection is what a table looks like, and which variables its columns are for. */
export interface Inspection {
  format: string;
  rows: number;
  sheets?: string[];
  columns: Column[];
  moreColumns?: number;
  errors: { index: number; code: string; message: string }[];
  errorRows: number;
  variables: Variable[];
  mapping: Record<string, string>;
  unmatched: { columns: string[]; variables: string[] };
}

const types: Record<string, string> = {
  csv: 'text/csv', tsv: 'text/tab-separated-values', txt: 'text/csv', ndjson: 'application/x-ndjson', jsonl: 'application/x-ndjson',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** linesOf turns the rows of a JSON document into NDJSON; null where it holds none. */
export function linesOf(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const rows = Array.isArray(value) ? value : typeof value === 'object' && value !== null && 'variables' in value && Array.isArray(value.variables) ? value.variables : null;
  return rows && rows.map((r) => JSON.stringify(r)).join('\n');
}

/** typeOf is the media type of pasted text: JSON lines, a table with tabs, or a CSV. */
export function typeOf(text: string): string {
  const first = text.trimStart();
  if (first.startsWith('{')) return types.ndjson!;
  return first.split('\n', 1)[0]!.includes('\t') ? types.tsv! : types.csv!;
}

/** tableOf makes a table of pasted text. */
export function tableOf(text: string, name = 'Pasted rows'): Table {
  const lines = linesOf(text);
  return lines === null ? { name, type: typeOf(text), body: new Blob([text]) } : { name, type: types.ndjson!, body: new Blob([lines]) };
}

/** tableOfFile makes a table of a file; its name says what it is. */
export async function tableOfFile(file: File): Promise<Table> {
  const ext = file.name.split('.').pop()!.toLowerCase();
  if (ext === 'json') return tableOf(await file.text(), file.name);
  const type = types[ext];
  if (!type) throw new Error(`${file.name} is no table: give a CSV, TSV, XLSX, JSON or NDJSON`);
  return { name: file.name, type, body: file };
}

/** Options are what is asked for beside the rows. */
export interface Options {
  format: string;
  size: string; // "": that of the template; "*": each
  rowKey: string;
  sheet: string;
}

const words = new Set(['true', 'false', 'nil', 'not', 'in', 'or', 'and', 'let', 'matches', 'contains', 'startsWith', 'endsWith']);

/** reference is how an expression reads the column of a name, as expr.Reference writes it. */
export const reference = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) && !words.has(name) ? name : `$env[${JSON.stringify(name)}]`);

export async function inspect(table: Table, template: string, sheet: string): Promise<Inspection> {
  return (await request<Inspection>(`/tables/inspect${query({ template, sheet })}`, { method: 'POST', body: table.body, type: table.type })).data;
}

const order = (o: Options, mapping: Record<string, string>, sizes: string[]) => ({
  format: o.format, rowKey: o.rowKey, sheet: o.sheet, mapping: JSON.stringify(mapping),
  size: o.size === '*' ? undefined : o.size, sizes: o.size === '*' ? sizes.join(',') : undefined,
});

export interface Batch {
  table: Table;
  template: string;
  mapping: Record<string, string>;
  options: Options;
  sizes: string[]; // all of the template
}

const send = <T>(b: Batch, dryRun: boolean) => request<T>(path`/templates/${b.template}/batch-render` + query({ ...order(b.options, b.mapping, b.sizes), dryRun }), { method: 'POST', body: b.table.body, type: b.table.type });

/** check has every row checked, and one drawn; nothing is kept. */
export const check = async (b: Batch): Promise<DryRun> => (await send<DryRun>(b, true)).data;

/** run makes the job. */
export const run = async (b: Batch): Promise<string> => (await send<{ jobId: string }>(b, false)).data.jobId;
