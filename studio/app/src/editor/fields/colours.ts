// Colours as CSS writes them, read into red, green, blue and alpha.

export interface Colour {
  r: number; // 0 to 255
  g: number;
  b: number;
  a: number; // 0 to 1
}

/** hexOf reads #rgb, #rgba, #rrggbb and #rrggbbaa, the # left out at will. */
export function hexOf(text: string): Colour | undefined {
  const digits = /^#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(text.trim())?.[1];
  if (!digits) return undefined;
  const full = digits.length < 6 ? [...digits].map((d) => d + d).join('') : digits;
  const at = (i: number) => parseInt(full.slice(i, i + 2), 16);
  return { r: at(0), g: at(2), b: at(4), a: full.length === 8 ? Math.round((at(6) / 255) * 1000) / 1000 : 1 };
}

/** rgbOf reads rgb(…) and rgba(…) with commas or spaces. */
export function rgbOf(text: string): Colour | undefined {
  const inner = /^rgba?\(([^()]*)\)$/i.exec(text.trim())?.[1];
  const parts = inner?.split(/[\s,/]+/).filter(Boolean) ?? [];
  if (parts.length < 3 || parts.length > 4) return undefined;
  const part = (p: string, whole: number) => (p.endsWith('%') ? (Number(p.slice(0, -1)) / 100) * whole : Number(p));
  const [r, g, b] = parts.slice(0, 3).map((p) => Math.round(part(p, 255))) as [number, number, number];
  const a = parts[3] === undefined ? 1 : part(parts[3], 1);
  return [r, g, b, a].every(Number.isFinite) ? { r, g, b, a } : undefined;
}

let ink: CanvasRenderingContext2D | null | undefined;

/** colourOf reads any colour that the browser knows; undefined for var(…), {{ … }} and what is none. */
export function colourOf(text: string): Colour | undefined {
  const plain = hexOf(text.startsWith('#') ? text : '') ?? rgbOf(text);
  if (plain || !/^[a-z]+(\(.*\))?$/i.test(text.trim()) || /var\(|url\(|gradient/.test(text)) return plain;
  if (text.trim() === 'transparent') return { r: 0, g: 0, b: 0, a: 0 };
  if (typeof CSS === 'undefined' || !CSS.supports('color', text) || /^(currentcolor|inherit|initial|unset|revert)$/i.test(text.trim())) return undefined;
  ink ??= document.createElement('canvas').getContext('2d');
  if (!ink) return undefined;
  ink.fillStyle = text;
  return hexOf(String(ink.fillStyle)) ?? rgbOf(String(ink.fillStyle));
}

const two = (n: number) => Math.round(n).toString(16).padStart(2, '0');

/** hex is the colour without its alpha, as colour fields of browsers have it. */
export const hex = (c: Colour): string => `#${two(c.r)}${two(c.g)}${two(c.b)}`;

/** css is the colour as it stands in documents: #rrggbb, or rgb(r g b / a) where one sees through it. */
export const css = (c: Colour): string => (c.a >= 1 ? hex(c) : `rgb(${Math.round(c.r)} ${Math.round(c.g)} ${Math.round(c.b)} / ${Math.round(c.a * 1000) / 1000})`);

/** tokenOf is the name in var(--name), without a fallback. */
export const tokenOf = (text: string): string | undefined => /^var\(\s*--([\w-]+)\s*(?:,.*)?\)$/s.exec(text.trim())?.[1];

/** split cuts at commas (or spaces) that stand in no brackets. */
export function split(text: string, at: ',' | ' ' = ','): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const c of text) {
    if (c === '(') depth++;
    if (c === ')') depth--;
    if (depth === 0 && (c === at || (at === ' ' && /\s/.test(c)))) {
      if (part.trim()) parts.push(part.trim());
      part = '';
    } else part += c;
  }
  if (part.trim()) parts.push(part.trim());
  return parts;
}
