// How an element is turned and how large it is by itself, whatever it stands in.

const degrees = (text: string): number => {
  const found = /(-?[\d.]+(?:e-?\d+)?)(deg|rad|turn|grad)/.exec(text);
  if (!found) return 0;
  return Number(found[1]) * { deg: 1, rad: 180 / Math.PI, turn: 360, grad: 0.9 }[found[2] as 'deg']!;
};

/** turnOf is how an element itself is turned, in degrees. */
export function turnOf(el: Element): number {
  const style = el.ownerDocument.defaultView!.getComputedStyle(el);
  let angle = style.rotate && style.rotate !== 'none' ? degrees(style.rotate) : 0;
  const matrix = /^matrix\(([^,]+),([^,]+)/.exec(style.transform);
  if (matrix) angle += Math.atan2(Number(matrix[2]), Number(matrix[1])) * 180 / Math.PI;
  return angle;
}

/** angleOf is how it is turned on its page, with all that it stands in. */
export function angleOf(el: Element): number {
  let angle = 0;
  for (let up: Element | null = el; up && up.tagName !== 'BODY'; up = up.parentElement) angle += turnOf(up);
  return Math.abs(angle % 360) < 1e-9 ? 0 : angle;
}

/** sizeOf is the border box of an element before any transform; null where it has none of its own. */
export function sizeOf(el: Element): { width: number; height: number } | null {
  const style = el.ownerDocument.defaultView!.getComputedStyle(el);
  const px = (name: string) => parseFloat(style.getPropertyValue(name));
  let width = px('width'), height = px('height');
  if (Number.isNaN(width) || Number.isNaN(height)) return null;
  if (style.boxSizing !== 'border-box') {
    width += px('padding-left') + px('padding-right') + px('border-left-width') + px('border-right-width');
    height += px('padding-top') + px('padding-bottom') + px('border-top-width') + px('border-bottom-width');
  }
  return { width, height };
}
