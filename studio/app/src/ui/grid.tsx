// A grid that draws only the rows that are in sight of the window, however long
// it is. Arrows move the focus in it.

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { inSight } from './sight.ts';
import './grid.css';

/** Grid shows items in order. Each is drawn as one link or button, which the arrows move between. low is the height below the picture, in rem. */
export function Grid<T>({ label, items, id, least, ratio = 1, low, more, children }: {
  label: string; items: T[]; id: (item: T) => string; least: number; ratio?: number; low: number; more?: (() => void) | undefined; children: (item: T) => ComponentChildren;
}) {
  const box = useRef<HTMLDivElement>(null);
  const wanted = useRef<number | undefined>(undefined);
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState({ top: 0, height: 900 });
  const rem = typeof document === 'undefined' ? 16 : parseFloat(getComputedStyle(document.documentElement).fontSize);
  const gap = 0.75 * rem;
  const columns = Math.max(1, Math.floor((width + gap) / (least * rem + gap)));
  const cell = (width - gap * (columns - 1)) / columns;
  const row = Math.round(cell * ratio + low * rem + gap);
  const rows = Math.ceil(items.length / columns);
  const { first, last } = inSight(rows, row, seen.top, seen.height);

  useLayoutEffect(() => {
    const el = box.current!;
    const look = () => setSeen((s) => {
      const top = Math.floor(Math.max(0, -el.getBoundingClientRect().top) / 200) * 200; // not at every pixel
      return s.top === top && s.height === innerHeight ? s : { top, height: innerHeight };
    });
    const measure = new ResizeObserver(() => {
      setWidth(el.clientWidth);
      look();
    });
    measure.observe(el);
    addEventListener('scroll', look, { passive: true });
    setWidth(el.clientWidth);
    look();
    return () => {
      measure.disconnect();
      removeEventListener('scroll', look);
    };
  }, []);

  useEffect(() => {
    if (more && width > 0 && seen.top + seen.height * 2.5 > rows * row) more();
  }, [more, rows, row, seen, width]);

  const focus = (index: number) => box.current?.querySelector<HTMLElement>(`[data-index="${index}"] :is(a, button)`);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const el = focus(wanted.current);
    if (!el) return;
    wanted.current = undefined;
    el.focus({ preventScroll: true });
    el.scrollIntoView({ block: 'nearest' });
  });
  const key = (e: KeyboardEvent) => {
    const at = Number((e.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index ?? NaN);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -items.length, End: items.length }[e.key];
    if (!step || Number.isNaN(at) || e.ctrlKey || e.metaKey || e.altKey) return;
    const to = Math.max(0, Math.min(items.length - 1, at + step));
    e.preventDefault();
    wanted.current = to;
    const top = box.current!.getBoundingClientRect().top + scrollY + Math.floor(to / columns) * row;
    if (top < scrollY || top + row > scrollY + innerHeight) scrollTo({ top: top - innerHeight / 2 + row / 2 });
    setSeen((s) => ({ ...s }));
  };
  return (
    <div class="windowed" ref={box} style={{ height: `${rows * row - (rows ? gap : 0)}px` }}>
      {width > 0 && (
        <ul class="cells" aria-label={label} onKeyDown={key} style={{ transform: `translateY(${first * row}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: `${row - gap}px`, gap: `${gap}px` }}>
          {items.slice(first * columns, last * columns).map((item, i) => {
            const at = first * columns + i;
            return <li key={id(item)} data-index={at} aria-posinset={at + 1} aria-setsize={more ? -1 : items.length}>{children(item)}</li>;
          })}
        </ul>
      )}
    </div>
  );
}
