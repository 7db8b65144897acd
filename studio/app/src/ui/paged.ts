// A list that is read page by page, and whose beginning is read again when
// something has changed.

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { get } from '../api/client.ts';

export interface PageOf<T> {
  items: T[];
  next: string | null; // null at the end
}

/** merged puts the newest page before what is there: what it has again moves, the rest stays. Null: they don't meet, and there is a gap. */
export function merged<T>(first: T[], rest: T[], id: (item: T) => string): T[] | null {
  const ids = new Set(first.map(id));
  const kept = rest.filter((item) => !ids.has(id(item)));
  if (first.length > 0 && rest.length > 0 && kept.length === rest.length) return null;
  return [...first, ...kept];
}

export interface Paged<T> {
  items: T[];
  error: unknown;
  loading: boolean;
  ended: boolean;
  more: (() => void) | undefined; // undefined while it is read, and at the end
  again: () => void; // from the beginning
  fresh: () => void; // reads the first page again, and puts what is new before the rest
}

interface State<T> extends PageOf<T> {
  path: string | null;
  begun: boolean;
  loading: boolean;
  error?: unknown;
}

/** usePages reads the list at path, which may have a query. read takes a page apart; cursor is the name of the parameter of the next one. */
export function usePages<P, T>(path: string | null, read: (page: P) => PageOf<T>, id: (item: T) => string, cursor = 'cursor'): Paged<T> {
  const [state, setState] = useState<State<T>>({ path, items: [], next: null, begun: false, loading: path !== null });
  const [round, setRound] = useState(0);
  const stop = useRef<AbortController | undefined>(undefined);
  const how = useRef({ read, id });
  how.current = { read, id };

  const ask = useCallback(async (at: string | null): Promise<PageOf<T> | null> => {
    const mine = stop.current!;
    const page = await get<P>(at === null ? path! : `${path}${path!.includes('?') ? '&' : '?'}${cursor}=${encodeURIComponent(at)}`, mine.signal);
    return mine.signal.aborted ? null : how.current.read(page);
  }, [path, cursor]);

  useEffect(() => {
    const mine = new AbortController();
    stop.current = mine;
    if (path === null) return undefined;
    setState((s) => (s.path === path ? { ...s, loading: true, error: undefined } : { path, items: [], next: null, begun: false, loading: true }));
    ask(null).then(
      (page) => page && setState({ path, ...page, begun: true, loading: false }),
      (error: unknown) => mine.signal.aborted || setState((s) => ({ ...s, error, loading: false })),
    );
    return () => mine.abort();
  }, [path, ask, round]);

  const { next } = state;
  const more = useCallback(() => {
    const mine = stop.current!;
    setState((s) => ({ ...s, loading: true, error: undefined }));
    ask(next).then(
      (page) => page && setState((s) => {
        const have = new Set(s.items.map(how.current.id));
        return { ...s, items: [...s.items, ...page.items.filter((i) => !have.has(how.current.id(i)))], next: page.next, loading: false };
      }),
      (error: unknown) => mine.signal.aborted || setState((s) => ({ ...s, error, loading: false })),
    );
  }, [ask, next]);

  const fresh = useCallback(() => {
    const mine = stop.current;
    if (!mine || mine.signal.aborted) return;
    ask(null).then(
      (page) => page && setState((s) => {
        if (!s.begun || s.loading) return s; // it comes with the next change
        const all = merged(page.items, s.items, how.current.id);
        return all === null || s.next === null && page.next === null ? { ...s, ...page, error: undefined } : { ...s, items: all, error: undefined };
      }),
      () => undefined, // the mark of the stream tells that the daemon is away
    );
  }, [ask]);

  const again = useCallback(() => setRound((n) => n + 1), []);
  return useMemo(() => ({
    items: state.path === path ? state.items : [], error: state.error, loading: state.loading, ended: state.begun && state.next === null,
    more: state.loading || state.error !== undefined || state.next === null ? undefined : more, again, fresh,
  }), [state, path, more, again, fresh]);
}
