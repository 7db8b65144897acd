// Weights that always sum to the whole.

export const whole = 10_000;

/** spread shares n out in proportion to parts, in whole numbers; equally where all parts are 0. */
export function spread(n: number, parts: number[]): number[] {
  const sum = parts.reduce((a, b) => a + b, 0);
  const exact = parts.map((p) => (sum > 0 ? (n * p) / sum : n / parts.length));
  const out = exact.map(Math.floor);
  const left = n - out.reduce((a, b) => a + b, 0);
  exact.map((x, i) => [x - out[i]!, i] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, left).forEach(([, i]) => (out[i] = out[i]! + 1));
  return out;
}

/** equal are n weights of the same size. */
export const equal = (n: number): number[] => spread(whole, Array<number>(n).fill(1));

/** reweigh sets the weight at an index. The others give or take in proportion; those in kept, which somebody has set, only when the rest can't. */
export function reweigh(weights: number[], at: number, weight: number, kept: ReadonlySet<number> = new Set()): number[] {
  const others = weights.map((_, i) => i).filter((i) => i !== at);
  if (others.length === 0) return [whole];
  const wanted = Math.max(0, Math.min(whole, Math.round(weight)));
  const free = others.filter((i) => !kept.has(i));
  const held = others.filter((i) => kept.has(i));
  const heldSum = held.reduce((sum, i) => sum + weights[i]!, 0);
  const give = free.length > 0 && wanted + heldSum <= whole ? free : others;
  const rest = whole - wanted - (give === free ? heldSum : 0);
  const shares = spread(rest, give.map((i) => weights[i]!));
  const out = [...weights];
  out[at] = wanted;
  give.forEach((i, k) => (out[i] = shares[k]!));
  return out;
}

/** without takes one out; the others share its weight. */
export const without = (weights: number[], at: number): number[] => spread(whole, weights.filter((_, i) => i !== at));

/** joined puts one more in, with an equal share. */
export function joined(weights: number[]): number[] {
  const share = Math.floor(whole / (weights.length + 1));
  return [...spread(whole - share, weights), share];
}
