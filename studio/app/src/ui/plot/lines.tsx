// Lines over time, with bands for what they may truly be.

import type { ComponentChildren } from 'preact';

import { type Area, Dot, Frame } from './frame.tsx';
import { runs, type Span, spanOf } from './scale.ts';

export interface Point {
  value: number;
  low?: number | undefined;
  high?: number | undefined;
}

export interface Line {
  name: string;
  points: (Point | null)[]; // one for each time; null where there is none
}

/** spanOfLines shows every line whole, and the bands as they are at the end: early ones are as wide as all that there can be. */
function spanOfLines(lines: Line[], zero: boolean, least: number, most: number): Span {
  const ends = lines.flatMap((l) => l.points.filter((p) => p !== null).slice(-1));
  const [low, high] = spanOf([...lines.flatMap((l) => l.points.map((p) => p?.value)), ...ends.flatMap((p) => [p.low, p.high])], { zero, pad: 0.06 });
  return [Math.max(least, low), Math.min(most, high)];
}

/** Lines plots values over time. zero has the axis begin at 0; least and most are what a value can be. */
export function Lines({ title, about, times, daily, lines, zero = false, least = -Infinity, most = Infinity, format, say = (p) => format(p.value) }: {
  title: string; about?: ComponentChildren; times: number[]; daily?: boolean; lines: Line[]; zero?: boolean; least?: number; most?: number;
  format: (value: number) => string; say?: (p: Point) => string;
}) {
  const path = (area: Area, items: { x: number; y: number }[]) => items.map((p, i) => `${i ? 'L' : 'M'}${p.x.toFixed(1)} ${area.y(p.y).toFixed(1)}`).join('');
  const draw = (area: Area, at: number | null, lit: number | null) => lines.map((line, i) => {
    const beside = times.length === 1 ? (i - (lines.length - 1) / 2) * 1.6 * area.rem : 0; // points of one time stand side by side
    const shape = { class: 'arm', 'data-arm': i % 6, 'data-faded': (lit !== null && lit !== i) || undefined };
    if (at !== null) {
      const p = line.points[at];
      return p && <g key={line.name} {...shape}><Dot of={i} x={area.x(times[at]!) + beside} y={Math.min(area.bottom, Math.max(area.top, area.y(p.value)))} r={0.26 * area.rem} /></g>;
    }
    return (
      <g key={line.name} {...shape}>
        {runs(line.points).map(({ from, items }) => {
          const x = (k: number) => area.x(times[from + k]!) + beside;
          const banded = items.every((p) => p.low !== undefined && p.high !== undefined);
          const band = [...items.map((p, k) => ({ x: x(k), y: p.high ?? 0 })), ...items.map((p, k) => ({ x: x(k), y: p.low ?? 0 })).reverse()];
          return (
            <g key={from}>
              {banded && items.length > 1 && <path class="band" d={`${path(area, band)}Z`} />}
              {banded && items.length === 1 && <path class="reach" d={`M${x(0).toFixed(1)} ${area.y(items[0]!.low!).toFixed(1)}V${area.y(items[0]!.high!).toFixed(1)}`} />}
              <path class="line" d={path(area, items.map((p, k) => ({ x: x(k), y: p.value })))} />
            </g>
          );
        })}
      </g>
    );
  });
  return <Frame title={title} about={about} times={times} daily={daily} values={spanOfLines(lines, zero, least, most)} format={format} draw={draw}
    series={lines.map((l) => ({ name: l.name, say: (i) => (l.points[i] ? say(l.points[i]) : '–') }))} />;
}
