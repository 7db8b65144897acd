// Filters stand in the address, so that a view can be sent to somebody and the
// back button works.

import { useLocation } from 'preact-iso';

/** useFilters is the filters of this page by name, and a way to change some; "" ends one. */
export function useFilters(): [Record<string, string>, (changes: Record<string, string>) => void] {
  const { query, path, route } = useLocation();
  const set = (changes: Record<string, string>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    route(path + (text && `?${text}`), true);
  };
  return [query as Record<string, string>, set];
}
