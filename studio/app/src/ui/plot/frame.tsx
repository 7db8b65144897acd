// The frame of a plot: its axes, a place in time that the pointer and the arrow
// keys move, what every line says there, and the same numbers as a table.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { nearest, place, type Span, ticks, timeTicks } from './scale.ts';
import './plot.css';

/** Area is what may be drawn on, in pixels. */
export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (time: number) => number;
  y: (value: number) => number;
  rem: number;
}

export interface Shown {
  name: string;
  say: (at: number) => string; // its value at a time, in words
}

export interface FrameProps {
  title: string;
  about?: ComponentChildren;
  times: number[]; // in order; what can be pointed at
  until?: number; // where the last time ends, where it is a stretch
  daily?: boolean; // times are days of UTC
  series: Shown[];
  values: Span;
  format: (value: number) => string; // of the axis
  draw: (area: Area, at: number | null, lit: number | null) => ComponentChildren;
}

const minutes = 60_000, day = 86_400_000;

/** timeWords says a time of a plot; a day where times are days. */
export function timeWords(time: number, daily: boolean | undefined): string {
  return daily
    ? new Date(time).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
    : new Date(time).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}

const tickWords = (time: number, step: number, daily: boolean | undefined) => (step < day
  ? new Date(time).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', timeZone: daily ? 'UTC' : undefined })
  : new Date(time).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: daily ? 'UTC' : undefined }));

/** Key is the sign of a line: its colour, its dashes and its shape. */
export function Key({ of }: { of: number }) {
  return <svg class="plot-key arm" data-arm={of % 6} width="28" height="12" viewBox="0 0 28 12" aria-hidden="true"><path class="line" d="M1 6H27" /><Dot of={of} x={14} y={6} r={3.6} /></svg>;
}

/** Dot is where a line is at a time. Lines differ by shape as by colour. */
export function Dot({ of, x, y, r }: { of: number; x: number; y: number; r: number }) {
  const shapes = [
    <circle key="c" cx={x} cy={y} r={r} />,
    <rect key="r" x={x - r} y={y - r} width={2 * r} height={2 * r} />,
    <path key="t" d={`M${x} ${y - r * 1.2}L${x + r * 1.2} ${y + r}H${x - r * 1.2}Z`} />,
    <path key="d" d={`M${x} ${y - r * 1.35}L${x + r * 1.35} ${y}L${x} ${y + r * 1.35}L${x - r * 1.35} ${y}Z`} />,
  ];
  return <g class="dot">{shapes[of % shapes.length]}</g>;
}

// useSize is how wide an element is, and how large its letters are.
function useSize() {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, rem: 16 });
  useLayoutEffect(() => {
    const el = ref.current!;
    const measure = () => setSize({ width: el.clientWidth, rem: parseFloat(getComputedStyle(document.documentElement).fontSize) });
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    measure();
    return () => watch.disconnect();
  }, []);
  return { ref, ...size };
}

/** Frame draws a plot of values over time. */
export function Frame({ title, about, times, until, daily, series, values, format, draw }: FrameProps) {
  const id = useId();
  const { ref, width, rem } = useSize();
  const [at, setAt] = useState<number | null>(null);
  const [lit, setLit] = useState<number | null>(null);
  const last = times.length - 1;
  const here = Math.min(at ?? last, last);
  const height = 15 * rem;
  const across: Span = [times[0] ?? 0, until ?? times[last] ?? 1];
  const rows = ticks(values, 4);
  const longest = Math.max(3, ...rows.map((v) => format(v).length));
  const left = (longest * 0.5 + 0.9) * rem, right = width - 0.9 * rem, top = 0.7 * rem, bottom = height - 1.7 * rem;
  const area: Area = { left, right, top, bottom, rem, x: (t) => (across[0] === across[1] ? (left + right) / 2 : place(t, across, left, right)), y: (v) => place(v, values, bottom, top) };
  const offset = daily ? 0 : -new Date(across[0]).getTimezoneOffset() * minutes;
  const columns = across[0] === across[1] ? { at: times.slice(0, 1), step: day } : timeTicks(across, Math.max(2, Math.floor((right - left) / (4.6 * rem))), offset);

  const point = (e: PointerEvent) => {
    const x = e.clientX - ref.current!.getBoundingClientRect().left;
    setAt(nearest(times.map(area.x), x));
  };
  const key = (e: KeyboardEvent) => {
    const to = { ArrowRight: here + 1, ArrowUp: here + 1, ArrowLeft: here - 1, ArrowDown: here - 1, Home: 0, End: last, PageUp: here - 7, PageDown: here + 7 }[e.key];
    if (e.key === 'Escape') setAt(null);
    if (to === undefined) return;
    e.preventDefault();
    setAt(Math.max(0, Math.min(last, to)));
  };
  const when = timeWords(times[here] ?? 0, daily);
  return (
    <figure class="plot card" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        {about && <p class="soft small">{about}</p>}
      </figcaption>
      <div class="plot-area" ref={ref} role="slider" tabIndex={0} aria-label={`${title}: ${daily ? 'day' : 'time'}`} aria-valuemin={0} aria-valuemax={Math.max(0, last)} aria-valuenow={here}
        aria-valuetext={`${when}: ${series.map((s) => `${s.name} ${s.say(here)}`).join('; ')}`} style={{ height: `${height}px` }} onPointerMove={point} onPointerDown={point} onPointerLeave={() => setAt(null)} onKeyDown={key} onBlur={() => setAt(null)}>
        {width > 0 && (
          <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" data-lit={lit ?? undefined}>
            <defs><clipPath id={`${id}-clip`}><rect x={left} y={top} width={Math.max(0, right - left)} height={bottom - top} /></clipPath></defs>
            {rows.map((v) => <g key={v}><path class="grid" data-zero={v === 0 || undefined} d={`M${left} ${Math.round(area.y(v)) + 0.5}H${right}`} /><text x={left - 0.5 * rem} y={area.y(v)} dy=".32em" text-anchor="end">{format(v)}</text></g>)}
            {columns.at.map((t) => <g key={t}><path class="grid" d={`M${Math.round(area.x(t)) + 0.5} ${bottom}v${0.3 * rem}`} /><text x={area.x(t)} y={height - 0.35 * rem} text-anchor={area.x(t) > right - 1.5 * rem ? 'end' : area.x(t) < left + rem ? 'start' : 'middle'}>{tickWords(t, columns.step, daily)}</text></g>)}
            <g clip-path={`url(#${id}-clip)`}>{draw(area, null, lit)}</g>
            {at !== null && <path class="cursor" d={`M${Math.round(area.x(times[here]!)) + 0.5} ${top}V${bottom}`} />}
            {draw(area, here, lit)}
          </svg>
        )}
      </div>
      <ul class="plot-legend" aria-label={`${title}, ${when}`}>
        <li class="soft">{when}</li>
        {series.map((s, i) => (
          <li key={s.name}>
            <button type="button" aria-pressed={lit === i} title={lit === i ? 'Show all as strong' : `Show ${s.name} alone as strong`} onClick={() => setLit(lit === i ? null : i)}><Key of={i} /><span>{s.name}</span> <strong>{s.say(here)}</strong></button>
          </li>
        ))}
      </ul>
      <details>
        <summary>As a table</summary>
        <div class="table" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead><tr><th scope="col">{daily ? 'Day (UTC)' : 'Time'}</th>{series.map((s) => <th key={s.name} scope="col" class="number">{s.name}</th>)}</tr></thead>
            <tbody>{times.map((t, i) => <tr key={t}><th scope="row">{timeWords(t, daily)}</th>{series.map((s) => <td key={s.name} class="number">{s.say(i)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
