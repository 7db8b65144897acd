// Snapping: what a moved rectangle meets on the page – edges, middles, equal
// gaps – and the guides that say so.

import type { Rect } from './geometry.ts';

/** A Guide is a line to be shown. A gap has its length as text. */
export interface Guide {
  axis: 'x' | 'y'; // x: an upright line at x = at
  at: number;
  from: number;
  to: number;
  gap?: number; // the line stands across, from edge to edge, and this long is the gap
}

export interface Snapped {
  dx: number;
  dy: number;
  guides: Guide[];
}

interface Span { // a rectangle along one axis, and where it is across
  low: number;
  high: number;
  from: number;
  to: number;
}

const alongX = (r: Rect): Span => ({ low: r.left, high: r.right, from: r.top, to: r.bottom });
const alongY = (r: Rect): Span => ({ low: r.top, high: r.bottom, from: r.left, to: r.right });
const middle = (s: Span) => (s.low + s.high) / 2;

/** Which lines of the moved rectangle may snap: all of a drag, one edge of a resize. */
export interface Lines {
  low: boolean;
  middle: boolean;
  high: boolean;
}

export const everything: Lines = { low: true, middle: true, high: true };

/** snap says how far a rectangle is to be moved so that it meets what is within reach. The page is one of the others. */
export function snap(moving: Rect, page: Rect, others: Rect[], reach: number, lines: { x: Lines | null; y: Lines | null } = { x: everything, y: everything }): Snapped {
  const x = lines.x && axis('x', alongX(moving), alongX(page), others.map(alongX), reach, lines.x);
  const y = lines.y && axis('y', alongY(moving), alongY(page), others.map(alongY), reach, lines.y);
  const dx = x?.by ?? 0, dy = y?.by ?? 0;
  return { dx, dy, guides: [...(x?.guides(dy) ?? []), ...(y?.guides(dx) ?? [])] };
}

interface Found {
  by: number;
  guides: (across: number) => Guide[]; // across: how far it is moved along the other axis
}

const same = 0.01;

function axis(name: 'x' | 'y', moving: Span, page: Span, others: Span[], reach: number, lines: Lines): Found | null {
  const mine = [lines.low ? moving.low : null, lines.middle ? middle(moving) : null, lines.high ? moving.high : null].filter((n) => n !== null);
  const targets = [page, ...others];
  let best = Infinity;
  for (const t of targets) {
    for (const at of [t.low, middle(t), t.high]) {
      for (const m of mine) if (Math.abs(at - m) < Math.abs(best)) best = at - m;
    }
  }
  const whole = lines.low && lines.middle && lines.high;
  const gap = whole ? equalGap(name, moving, others, reach) : null;
  if (Math.abs(best) > reach && !gap) return null;
  // Of a line and a gap the nearer wins; a line where they are as near.
  if (gap && (Math.abs(best) > reach || Math.abs(gap.by) + same < Math.abs(best))) return gap;
  return { by: best, guides: (across) => [...lineGuides(name, moving, best, across, mine, targets), ...(gap && Math.abs(gap.by - best) < same ? gap.guides(across) : [])] };
}

function lineGuides(name: 'x' | 'y', moving: Span, by: number, across: number, mine: number[], targets: Span[]): Guide[] {
  const guides: Guide[] = [];
  for (const m of mine) {
    const at = m + by;
    const met = targets.filter((t) => [t.low, middle(t), t.high].some((line) => Math.abs(line - at) < same));
    if (met.length === 0) continue;
    guides.push({ axis: name, at, from: Math.min(moving.from + across, ...met.map((t) => t.from)), to: Math.max(moving.to + across, ...met.map((t) => t.to)) });
  }
  return guides;
}

/** equalGap finds a place where the gaps to the neighbours are equal, or equal to one that is there between two others. */
function equalGap(name: 'x' | 'y', moving: Span, others: Span[], reach: number): Found | null {
  const row = others.filter((o) => o.from < moving.to && o.to > moving.from).sort((a, b) => a.low - b.low);
  const size = moving.high - moving.low;
  let best: { by: number; gaps: [number, number][] } | null = null;
  const offer = (low: number, gaps: [number, number][]) => {
    const by = low - moving.low;
    if (Math.abs(by) <= reach && (!best || Math.abs(by) < Math.abs(best.by))) best = { by, gaps };
  };
  const before = row.filter((o) => o.high <= moving.low + reach).at(-1), after = row.find((o) => o.low >= moving.high - reach);
  if (before && after && after.low - before.high >= size) {
    const gap = (after.low - before.high - size) / 2;
    offer(before.high + gap, [[before.high, before.high + gap], [after.low - gap, after.low]]);
  }
  for (let i = 0; i + 1 < row.length; i++) {
    const a = row[i]!, b = row[i + 1]!, gap = b.low - a.high;
    if (gap <= 0) continue;
    if (after === a) offer(a.low - gap - size, [[a.low - gap, a.low], [a.high, b.low]]);
    if (before === b) offer(b.high + gap, [[a.high, b.low], [b.high, b.high + gap]]);
  }
  if (!best) return null;
  const { by, gaps } = best as { by: number; gaps: [number, number][] };
  const other = name === 'x' ? 'y' : 'x';
  return { by, guides: (across) => gaps.map(([from, to]) => ({ axis: other, at: (moving.from + moving.to) / 2 + across, from, to, gap: to - from })) };
}

/** distances are the ways from a rectangle to the edges of what is around it: another, or the page. */
export function distances(r: Rect, to: Rect): Guide[] {
  const guides: Guide[] = [];
  const y = (Math.max(r.top, to.top) + Math.min(r.bottom, to.bottom)) / 2, x = (Math.max(r.left, to.left) + Math.min(r.right, to.right)) / 2;
  const add = (axis: 'x' | 'y', at: number, from: number, until: number) => {
    if (Math.abs(until - from) > same) guides.push({ axis, at, from: Math.min(from, until), to: Math.max(from, until), gap: Math.abs(until - from) });
  };
  const inside = r.left >= to.left && r.right <= to.right && r.top >= to.top && r.bottom <= to.bottom;
  if (inside) {
    add('y', y, to.left, r.left);
    add('y', y, r.right, to.right);
    add('x', x, to.top, r.top);
    add('x', x, r.bottom, to.bottom);
    return guides;
  }
  if (to.right <= r.left) add('y', y, to.right, r.left);
  if (to.left >= r.right) add('y', y, r.right, to.left);
  if (to.bottom <= r.top) add('x', x, to.bottom, r.top);
  if (to.top >= r.bottom) add('x', x, r.bottom, to.top);
  return guides;
}
