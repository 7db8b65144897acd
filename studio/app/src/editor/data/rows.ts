// The row that the canvas shows: where rows come from, and which of them it is.

import { signal } from '@preact/signals';

import { get, path, post, query, request } from '../../api/client.ts';
import type { Doc } from '../document.ts';

export interface RowChoice {
  from: string;
  title: string;
  kind: 'samples' | 'binding' | 'source' | 'job';
  name?: string;
  rows: number;
}

export interface RowAnswer {
  from: string;
  total: number;
  at: number;
  key: string;
  name: string;
  row: Record<string, unknown> | null;
  variables: Record<string, unknown>;
  skipped: boolean;
  error?: { code: string; field?: string; message: string };
  looked?: { rows: number; all: boolean };
  choices?: RowChoice[];
  rows?: Record<string, unknown>[]; // of pasted ones
}

/** pasted is where rows come from that somebody pasted here. */
export const pasted = 'pasted';

/** Rows steps through the rows of a place; each row that it comes to is what the canvas shows. */
export class Rows {
  readonly now = signal<RowAnswer | null>(null);
  readonly choices = signal<RowChoice[]>([]);
  readonly from = signal('samples');
  readonly trouble = signal<unknown>(null);
  readonly busy = signal(false);
  readonly pastedRows = signal<Record<string, unknown>[]>([]);
  readonly pastedTotal = signal(0);

  private round = 0;
  private begun = false;

  constructor(readonly doc: Doc) {}

  private get path(): string {
    return path`/templates/${this.doc.id}/rows`;
  }

  /** begin reads what there is to choose from, once. The canvas keeps what it shows until a row is chosen. */
  async begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    await this.read({}, false);
  }

  /** choose takes another place, at its first row. */
  choose(from: string): Promise<void> {
    this.from.value = from;
    return this.read({ pick: 'first' });
  }

  step(by: number): Promise<void> {
    const { at, total } = this.now.value ?? { at: 0, total: 0 };
    return total === 0 ? Promise.resolve() : at < 0 ? this.go(0) : this.go(Math.min(Math.max(at + by, 0), total - 1));
  }

  go(at: number): Promise<void> {
    return this.read({ at: String(at) });
  }

  goKey(key: string): Promise<void> {
    return this.read({ key });
  }

  /** pick takes the row that a word means: longest:title, emptiest, random … */
  pick(pick: string): Promise<void> {
    return this.read({ pick, ...(pick === 'random' ? { seed: String(Math.floor(Math.random() * 2 ** 31)) } : {}) });
  }

  /** examples shows what the variables have as their examples, and no row. */
  examples(): void {
    this.round++;
    if (this.now.value) this.now.value = { ...this.now.value, at: -1, key: '', name: '', row: null, error: undefined, skipped: false };
    this.doc.setOrder({ variables: undefined, binding: undefined, key: undefined });
  }

  /** paste reads rows that somebody gave, as text or as a file. */
  async paste(body: Blob, type: string): Promise<void> {
    const { data } = await request<RowAnswer>(`${this.path}${query({ at: 0 })}`, { method: 'POST', body, type });
    this.pastedRows.value = data.rows ?? [];
    this.pastedTotal.value = data.total;
    this.from.value = pasted;
    this.show(data);
  }

  private async read(which: Record<string, string>, show = true): Promise<void> {
    const mine = ++this.round;
    this.busy.value = true;
    try {
      const data = this.from.value === pasted
        ? await post<RowAnswer>(`${this.path}${query(which)}`, this.pastedRows.value)
        : await get<RowAnswer>(`${this.path}${query({ from: this.from.value, ...which })}`);
      if (mine !== this.round) return;
      this.trouble.value = null;
      if (data.choices) this.choices.value = data.choices;
      else if (this.choices.value.length === 0) void this.offer();
      if (show) this.show(data);
      else this.now.value = { ...data, at: -1, key: '', name: '', row: null }; // the canvas shows the examples still
    } catch (e) {
      if (mine === this.round) this.trouble.value = e;
    } finally {
      if (mine === this.round) this.busy.value = false;
    }
  }

  private async offer(): Promise<void> {
    const data = await get<RowAnswer>(this.path).catch(() => null);
    if (data?.choices) this.choices.value = data.choices;
  }

  private show(data: RowAnswer): void {
    this.now.value = data;
    this.doc.setOrder({ variables: data.variables, binding: undefined, key: undefined });
  }
}

const kept = new WeakMap<Doc, Rows>();

/** rowsOf are the rows of a document, the same for each panel. */
export function rowsOf(doc: Doc): Rows {
  let rows = kept.get(doc);
  if (!rows) kept.set(doc, (rows = new Rows(doc)));
  return rows;
}
