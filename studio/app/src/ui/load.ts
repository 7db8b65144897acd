// Reading from the daemon into a page.

import { useEffect, useRef, useState } from 'preact/hooks';

import { get } from '../api/client.ts';

export interface Loaded<T> {
  data: T | undefined; // what came last; it stays while it is read again, and when that fails
  error: unknown;
  loading: boolean;
  again: () => void;
  set: (data: T) => void;
}

/** useLoad reads a path, and again when it or one of deps changes. Null reads nothing. */
export function useLoad<T>(path: string | null, deps: unknown[] = []): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: unknown; loading: boolean }>({ path, loading: path !== null });
  const [round, setRound] = useState(0);
  const seen = useRef(path);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    const moved = seen.current !== path;
    seen.current = path;
    setState((s) => ({ path, data: moved ? undefined : s.data, error: undefined, loading: true }));
    get<T>(path, stop.signal).then(
      (data) => setState({ path, data, loading: false }),
      (error: unknown) => stop.signal.aborted || setState((s) => ({ path, data: s.data, error, loading: false })),
    );
    return () => stop.abort();
  }, [path, round, ...deps]);
  return { data: state.data, error: state.error, loading: state.loading, again: () => setRound((n) => n + 1), set: (data) => setState((s) => ({ ...s, data })) };
}
