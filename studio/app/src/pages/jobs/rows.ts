// The rows of a job that have ended, as they end.

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { get, path, query } from '../../api/client.ts';
import type { JobPage, RowFailure, RowResult } from '../../api/work.ts';

export type EndedRow = (RowResult | RowFailure) & { renderMs?: number; attempts?: number };

export interface RowFilter {
  status: string; // "", completed, failed
  key: string;
  code: string;
}

const page = 500;

/** inOrder is one page of a job's rows by their index. */
export const inOrder = (p: Pick<JobPage, 'results' | 'errors'>): EndedRow[] => [...p.results, ...p.errors].sort((a, b) => a.index - b.index);

/** patched is rows where those behind after and up to last are what has been read anew. */
export function patched(rows: EndedRow[], read: EndedRow[], after: number, last: number): EndedRow[] {
  return [...rows.filter((r) => r.index <= after), ...read, ...rows.filter((r) => r.index > last)];
}

/** unbroken is the last index up to which every row is among rows, from the first one; -1: not even that one. */
export function unbroken(rows: EndedRow[]): number {
  let at = -1;
  for (const r of rows) {
    if (r.index !== at + 1) break;
    at = r.index;
  }
  return at;
}

export interface Rows {
  rows: EndedRow[];
  error: unknown;
  loading: boolean;
  more: (() => void) | undefined;
  again: () => void;
  fresh: () => void; // reads again what may have ended meanwhile
}

interface State {
  of: string;
  rows: EndedRow[];
  next: number | null; // behind this index comes the next page; null: that was all
  loading: boolean;
  error?: unknown;
}

/** useRows reads the rows of a job page by page. fresh is for when the job went on: what has ended comes to its place. */
export function useRows(job: string, filter: RowFilter): Rows {
  const base = path`/jobs/${job}` + query({ status: filter.status, key: filter.key, code: filter.code, limit: page });
  const [state, setState] = useState<State>({ of: base, rows: [], next: -1, loading: true });
  const [round, setRound] = useState(0);
  const stop = useRef(new AbortController());
  const now = useRef(state);
  now.current = state;
  const ask = useCallback((after: number) => get<JobPage>(`${base}&after=${after}`, stop.current.signal), [base]);
  const fail = (mine: AbortController) => (error: unknown) => mine.signal.aborted || setState((s) => ({ ...s, error, loading: false }));

  useEffect(() => {
    const mine = new AbortController();
    stop.current = mine;
    setState((s) => ({ of: base, rows: s.of === base ? s.rows : [], next: s.of === base ? s.next : -1, loading: true }));
    ask(-1).then((p) => mine.signal.aborted || setState({ of: base, rows: inOrder(p), next: p.nextAfter, loading: false }), fail(mine));
    return () => mine.abort();
  }, [base, ask, round]);

  const more = useCallback(() => {
    const mine = stop.current;
    const after = now.current.next;
    if (after === null || now.current.loading) return;
    now.current.loading = true;
    setState((s) => ({ ...s, loading: true, error: undefined }));
    ask(after).then((p) => mine.signal.aborted || setState((s) => ({ ...s, rows: patched(s.rows, inOrder(p), after, Infinity), next: p.nextAfter, loading: false })), fail(mine));
  }, [ask]);

  const busy = useRef(false);
  const newest = useRef<() => void>();
  const due = useRef(false); // asked for while something was read: what ended meanwhile may not be in it
  const filtered = filter.key !== '' || filter.code !== '' || filter.status !== '';
  const fresh = useCallback(() => {
    const mine = stop.current;
    const { rows, loading, next } = now.current;
    due.current = loading || busy.current;
    if (due.current) return;
    busy.current = true;
    const after = filtered ? -1 : unbroken(rows); // without a filter, whatever is before has ended
    ask(after).then(
      (p) => {
        if (mine.signal.aborted) return;
        const whole = p.nextAfter === null;
        setState((s) => (s.loading ? s : { ...s, error: undefined, rows: patched(s.rows, inOrder(p), after, whole ? Infinity : p.nextAfter!), next: next === null || whole || next < p.nextAfter! ? p.nextAfter : next }));
      },
      () => undefined, // the mark of the stream tells that the daemon is away
    ).finally(() => {
      busy.current = false;
      if (due.current && !mine.signal.aborted) setTimeout(() => newest.current?.()); // behind the rows that came just now
    });
  }, [ask, filtered]);
  newest.current = fresh;
  useEffect(() => {
    if (!state.loading && due.current) fresh();
  }, [state.loading, fresh]);

  const again = useCallback(() => setRound((n) => n + 1), []);
  const mine = state.of === base;
  return useMemo(() => ({
    rows: mine ? state.rows : [], error: state.error, loading: state.loading || !mine, again, fresh,
    more: state.loading || state.error !== undefined || state.next === null ? undefined : more,
  }), [state, mine, more, again, fresh]);
}
