// Shares of a whole over time, on top of each other; each holds until the next.

import type { ComponentChildren } from 'preact';

import { type Area, Frame } from './frame.tsx';

/** Stack plots shares that sum to 1: shares[i] are those from times[i] on. */
export function Stack({ title, about, times, until, names, shares, format, note }: {
  title: string; about?: ComponentChildren; times: number[]; until: number; names: string[]; shares: number[][]; format: (share: number) => string; note?: (at: number) => string;
}) {
  const end = Math.max(until, times.at(-1) ?? 0);
  const draw = (area: Area, at: number | null, lit: number | null) => (at !== null ? null : names.map((name, arm) => {
    const below = (i: number) => shares[i]!.slice(0, arm).reduce((sum, s) => sum + s, 0);
    const top = times.map((t, i) => `${i ? 'L' : 'M'}${area.x(t).toFixed(1)} ${area.y(below(i) + shares[i]![arm]!).toFixed(1)}H${area.x(times[i + 1] ?? end).toFixed(1)}`).join('');
    const bottom = times.map((_, k) => times.length - 1 - k).map((i) => `L${area.x(times[i + 1] ?? end).toFixed(1)} ${area.y(below(i)).toFixed(1)}H${area.x(times[i]!).toFixed(1)}`).join('');
    const last = times.length - 1;
    const tall = (shares[last]?.[arm] ?? 0) * (area.bottom - area.top) > 1.3 * area.rem;
    return (
      <g key={name} class="arm" data-arm={arm % 6} data-faded={(lit !== null && lit !== arm) || undefined}>
        <path class="share" d={`${top}${bottom}Z`} />
        {tall && area.right - area.left > 12 * area.rem && <text class="inside" x={area.right - 0.5 * area.rem} y={area.y(below(last) + shares[last]![arm]! / 2)} dy=".32em" text-anchor="end">{name}</text>}
      </g>
    );
  }));
  return <Frame title={title} about={about} times={times} until={end} values={[0, 1]} format={format} draw={draw}
    series={names.map((name, arm) => ({ name, say: (i) => `${format(shares[i]?.[arm] ?? 0)}${arm === 0 && note ? note(i) : ''}` }))} />;
}
