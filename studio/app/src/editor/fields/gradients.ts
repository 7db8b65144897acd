// Linear and radial gradients, read and printed. What these words can't say
// stays text that a person edits in the source.

import { split } from './colours.ts';

export interface Stop {
  colour: string; // as CSS has it; tokens too
  at: number; // percent
}

export interface Gradient {
  kind: 'linear' | 'radial';
  angle: number; // degrees; of a linear one
  x: number; // percent; the middle of a radial one
  y: number;
  stops: Stop[];
}

const sides: Record<string, number> = { 'to top': 0, 'to top right': 45, 'to right': 90, 'to bottom right': 135, 'to bottom': 180, 'to bottom left': 225, 'to left': 270, 'to top left': 315 };
const angles: Record<string, number> = { deg: 1, grad: 0.9, turn: 360, rad: 180 / Math.PI };

function stopsOf(parts: string[]): Stop[] | undefined {
  const read = parts.map((part) => {
    const words = split(part, ' ');
    const place = words.length > 1 ? /^(-?[\d.]+)%$/.exec(words.at(-1)!) : null;
    return words.length === 1 ? { colour: words[0]!, at: NaN } : words.length === 2 && place ? { colour: words[0]!, at: Number(place[1]) } : undefined;
  });
  if (read.length < 2 || read.some((s) => !s)) return undefined;
  const stops = read as Stop[];
  if (Number.isNaN(stops[0]!.at)) stops[0]!.at = 0;
  if (Number.isNaN(stops.at(-1)!.at)) stops.at(-1)!.at = 100;
  for (let i = 1; i < stops.length - 1; i++) {
    if (!Number.isNaN(stops[i]!.at)) continue;
    const next = stops.findIndex((s, j) => j > i && !Number.isNaN(s.at));
    const from = stops[i - 1]!.at;
    stops[i]!.at = from + (stops[next]!.at - from) / (next - i + 1);
  }
  return stops;
}

/** gradientOf reads one gradient; undefined where it says more than a Gradient can. */
export function gradientOf(text: string | undefined): Gradient | undefined {
  const found = /^(linear|radial)-gradient\((.*)\)$/s.exec(text?.trim() ?? '');
  if (!found || /\)\s*,\s*(linear|radial|url)/.test(text!)) return undefined;
  const kind = found[1] as Gradient['kind'];
  const parts = split(found[2]!);
  const gradient: Gradient = { kind, angle: 180, x: 50, y: 50, stops: [] };
  const first = parts[0] ?? '';
  if (kind === 'linear') {
    const turned = /^(-?[\d.]+)(deg|grad|turn|rad)$/.exec(first);
    const side = sides[first.replace(/\s+/g, ' ')];
    if (turned) gradient.angle = Number(turned[1]) * angles[turned[2]!]!;
    if (side !== undefined) gradient.angle = side;
    if (turned || side !== undefined) parts.shift();
    else if (first.startsWith('to ')) return undefined;
  } else if (/^(circle|ellipse|at\s|farthest-corner)/.test(first)) {
    const at = /^(?:circle|ellipse)?\s*(?:farthest-corner)?\s*(?:at\s+(center|-?[\d.]+%)(?:\s+(center|-?[\d.]+%))?)?$/.exec(first);
    if (!at) return undefined;
    const place = (word: string | undefined) => (word === undefined || word === 'center' ? 50 : parseFloat(word));
    gradient.x = place(at[1]);
    gradient.y = place(at[2]);
    parts.shift();
  }
  const stops = stopsOf(parts);
  return stops && { ...gradient, stops };
}

const n = (value: number) => String(Math.round(value * 100) / 100);

/** gradientText is the gradient as CSS has it. */
export function gradientText(g: Gradient): string {
  const stops = [...g.stops].sort((a, b) => a.at - b.at).map((s) => `${s.colour} ${n(s.at)}%`).join(', ');
  return g.kind === 'linear' ? `linear-gradient(${n(g.angle)}deg, ${stops})` : `radial-gradient(circle at ${n(g.x)}% ${n(g.y)}%, ${stops})`;
}
