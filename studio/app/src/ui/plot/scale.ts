// From values to places on a plot, and the round numbers along its edges.

/** Span is where a plot's values begin and end. */
export type Span = [low: number, high: number];

/** spanOf holds all values that are numbers; it is never empty. */
export function spanOf(values: (number | null | undefined)[], { zero = false, pad = 0 } = {}): Span {
  let low = zero ? 0 : Infinity, high = zero ? 0 : -Infinity;
  for (const v of values) {
    if (v === null || v === undefined || !Number.isFinite(v)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (low > high) return [0, 1];
  const width = high - low || Math.abs(high) || 1;
  if (low === high) high += width;
  return [zero && low === 0 ? 0 : low - width * pad, high + width * pad];
}

/** place maps a value of a span to a length, with its beginning at from. */
export const place = (value: number, [low, high]: Span, from: number, to: number): number => from + ((value - low) / (high - low || 1)) * (to - from);

/** ticks are round numbers within a span, at most n of them. */
export function ticks([low, high]: Span, n: number): number[] {
  const rough = (high - low) / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999999) ?? 10 * power;
  const out: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

const minute = 60_000, hour = 60 * minute, day = 24 * hour;
const steps = [minute, 5 * minute, 15 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day];

/** timeTicks are round times within a span of milliseconds, at most n; offset is of the clock on the wall, in milliseconds east of UTC. */
export function timeTicks([from, to]: Span, n: number, offset = 0): { at: number[]; step: number } {
  const step = steps.find((s) => (to - from) / s <= n) ?? steps.at(-1)!;
  const at: number[] = [];
  for (let t = Math.ceil((from + offset) / step) * step - offset; t <= to; t += step) at.push(t);
  return { at, step };
}

/** nearest is the index of the value that is closest, of values in order. */
export function nearest(values: number[], value: number): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]! - value) <= Math.abs(values[best]! - value)) best = i;
  return best;
}

/** runs are the stretches of a list that have no gap. */
export function runs<T>(list: (T | null)[]): { from: number; items: T[] }[] {
  const out: { from: number; items: T[] }[] = [];
  let open: { from: number; items: T[] } | undefined;
  list.forEach((item, i) => {
    if (item === null) open = undefined;
    else if (open) open.items.push(item);
    else out.push((open = { from: i, items: [item] }));
  });
  return out;
}
