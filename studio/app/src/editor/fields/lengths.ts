// Numbers with a unit, as CSS and people write them.

export interface Length {
  n: number;
  unit: string; // "" where there is none
}

/** lengthOf reads "12px", "-.5em", "50 %"; undefined for anything else. */
export function lengthOf(text: string | undefined): Length | undefined {
  const found = /^\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*([a-z]*|%)\s*$/i.exec(text ?? '');
  return found ? { n: Number(found[1]), unit: found[2]!.toLowerCase() } : undefined;
}

/** rounded is a number as documents have it, to a hundredth. */
export const rounded = (n: number): number => Math.round(n * 100) / 100 || 0;

/** printed is a length as CSS has it. */
export const printed = (length: Length): string => `${rounded(length.n)}${length.unit}`;

/** amount reads what a person types into a number field: a number, or a sum such as "120+16" or "1080/3". */
export function amount(text: string): number | undefined {
  const parts = text.replace(/,/g, '.').match(/^\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*(?:([-+*/])\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*)?$/);
  if (!parts) return undefined;
  const [a, b] = [Number(parts[1]), Number(parts[3])];
  const n = parts[2] === undefined ? a : parts[2] === '+' ? a + b : parts[2] === '-' ? a - b : parts[2] === '*' ? a * b : a / b;
  return Number.isFinite(n) ? rounded(n) : undefined;
}

/** clamped is the nearest number between two bounds. */
export const clamped = (n: number, min = -Infinity, max = Infinity): number => Math.min(Math.max(n, min), max);
