// Shadows, read and printed.

import { split } from './colours.ts';
import { lengthOf, rounded } from './lengths.ts';

export interface Shadow {
  inset: boolean;
  x: number;
  y: number;
  blur: number;
  spread: number;
  colour: string;
}

/** shadowsOf reads a list of shadows in px; undefined where it holds something else. */
export function shadowsOf(text: string | undefined): Shadow[] | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '' || trimmed === 'none') return [];
  const out: Shadow[] = [];
  for (const part of split(trimmed)) {
    const words = split(part, ' ');
    const inset = words.includes('inset');
    const lengths = words.map(lengthOf).filter((l) => l !== undefined);
    const rest = words.filter((w) => w !== 'inset' && !lengthOf(w));
    if (lengths.length < 2 || lengths.length > 4 || rest.length > 1 || lengths.some((l) => l.unit !== 'px' && l.n !== 0)) return undefined;
    const [x, y, blur = 0, spread = 0] = lengths.map((l) => l.n) as [number, number, number?, number?];
    out.push({ inset, x, y, blur, spread, colour: rest[0] ?? 'currentcolor' });
  }
  return out;
}

const px = (n: number) => (n === 0 ? '0' : `${rounded(n)}px`);

/** shadowsText is a list of shadows as CSS has it. A text's shadows have no spread and no inset. */
export function shadowsText(shadows: Shadow[], ofText = false): string {
  return shadows.map((s) => [s.inset && !ofText ? 'inset' : '', px(s.x), px(s.y), px(s.blur), ofText ? '' : px(s.spread), s.colour].filter(Boolean).join(' ')).join(', ');
}
