// A table that draws only the rows that are in sight, and asks for more when its
// end comes near. On a phone its rows are cards.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Column<T> {
  name: string; // the heading
  cell: (row: T) => ComponentChildren;
  number?: boolean;
  width?: string;
  sort?: 'up' | 'down'; // how the list is ordered by it now
  order?: () => void; // orders it by it
}

const window_ = 120; // rows that are drawn at once, at least
const around = 30; // rows drawn above and below what is in sight

/** Table shows rows in order. key names a row for ever; more is called near the end. */
export function Table<T>({ label, columns, rows, id, more, picked, pick, open }: {
  label: string; columns: Column<T>[]; rows: T[]; id: (row: T) => string; more?: (() => void) | undefined;
  picked?: Set<string>; pick?: (keys: Set<string>) => void; open?: (row: T) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(40);
  const small = rows.length <= window_;
  const first = small ? 0 : Math.max(0, Math.min(Math.floor(top / height) - around, rows.length - window_));
  const last = small ? rows.length : Math.min(rows.length, first + window_);

  useLayoutEffect(() => {
    const row = box.current?.querySelector('tbody tr[data-row]');
    const seen = row?.getBoundingClientRect().height ?? 0;
    if (seen > 0 && Math.abs(seen - height) > 1) setHeight(seen);
  }, [rows.length > 0, columns.length]);

  const near = (el: HTMLElement) => el.scrollTop + el.clientHeight * 2 > el.scrollHeight;
  const scrolled = (e: JSX.TargetedEvent<HTMLDivElement>) => {
    const el = e.currentTarget;
    const step = height * (around / 2);
    setTop(Math.floor(el.scrollTop / step) * step);
    if (more && near(el)) more();
  };
  useEffect(() => {
    if (more && box.current && near(box.current)) more();
  }, [rows.length, more]);

  const choose = (key: string, on: boolean) => {
    const next = new Set(picked);
    if (on) next.add(key);
    else next.delete(key);
    pick!(next);
  };
  const all = picked !== undefined && rows.length > 0 && rows.every((r) => picked.has(id(r)));
  const span = columns.length + (pick ? 1 : 0);
  return (
    <div class="table cards" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {pick && <th scope="col"><input type="checkbox" aria-label="All rows" checked={all} onChange={() => pick(all ? new Set() : new Set(rows.map(id)))} /></th>}
            {columns.map((c) => (
              <th key={c.name} scope="col" class={c.number ? 'number' : ''} style={c.width ? { width: c.width } : undefined} aria-sort={c.sort && (c.sort === 'up' ? 'ascending' : 'descending')}>
                {c.order ? <button type="button" onClick={c.order}>{c.name}{c.sort === 'up' ? ' ↑' : c.sort === 'down' ? ' ↓' : ''}</button> : c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true"><td colSpan={span} style={{ height: `${first * height}px`, padding: 0 }} /></tr>}
          {rows.slice(first, last).map((row, i) => {
            const key = id(row);
            return (
              <tr key={key} data-row aria-rowindex={first + i + 2} aria-selected={picked?.has(key)} onDblClick={open && (() => open(row))}>
                {pick && <td><input type="checkbox" aria-label={`Row ${key}`} checked={picked?.has(key)} onChange={(e) => choose(key, e.currentTarget.checked)} /></td>}
                {columns.map((c) => <td key={c.name} data-name={c.name} class={c.number ? 'number' : ''}>{c.cell(row)}</td>)}
              </tr>
            );
          })}
          {last < rows.length && <tr aria-hidden="true"><td colSpan={span} style={{ height: `${(rows.length - last) * height}px`, padding: 0 }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
