// Boxes and points on a page: pure sums, in pixels of the page and degrees.

import type { Box } from './model.ts';
import type { Point } from './stage.ts';

/** A Rect is a box along the axes. */
export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const rad = (degrees: number) => degrees * Math.PI / 180;

/** turned is a vector turned clockwise. */
export function turned({ x, y }: Point, degrees: number): Point {
  if (degrees === 0) return { x, y };
  const c = Math.cos(rad(degrees)), s = Math.sin(rad(degrees));
  return { x: x * c - y * s, y: x * s + y * c };
}

/** corners are those of a box, from its own top left on, clockwise. */
export function corners(box: Box): Point[] {
  const w = box.width / 2, h = box.height / 2;
  return [[-w, -h], [w, -h], [w, h], [-w, h]].map(([x, y]) => {
    const p = turned({ x: x!, y: y! }, box.angle);
    return { x: box.x + p.x, y: box.y + p.y };
  });
}

/** rectOf is the smallest rectangle along the axes around a box. */
export function rectOf(box: Box): Rect {
  if (box.angle === 0) return { left: box.x - box.width / 2, right: box.x + box.width / 2, top: box.y - box.height / 2, bottom: box.y + box.height / 2 };
  const points = corners(box), xs = points.map((p) => p.x), ys = points.map((p) => p.y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** around is the smallest rectangle around several; null of none. */
export function around(rects: Rect[]): Rect | null {
  if (rects.length === 0) return null;
  return {
    left: Math.min(...rects.map((r) => r.left)), right: Math.max(...rects.map((r) => r.right)),
    top: Math.min(...rects.map((r) => r.top)), bottom: Math.max(...rects.map((r) => r.bottom)),
  };
}

export const boxOfRect = (r: Rect): Box => ({ x: (r.left + r.right) / 2, y: (r.top + r.bottom) / 2, width: r.right - r.left, height: r.bottom - r.top, angle: 0 });

export const shiftedBy = (r: Rect, dx: number, dy: number): Rect => ({ left: r.left + dx, right: r.right + dx, top: r.top + dy, bottom: r.bottom + dy });

/** meet says whether two rectangles have an area in common. */
export const meet = (a: Rect, b: Rect): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** within says whether a point lies in a box, turned as it is; more is how far around it still counts. */
export function within(box: Box, point: Point, more = 0): boolean {
  const p = turned({ x: point.x - box.x, y: point.y - box.y }, -box.angle);
  return Math.abs(p.x) <= box.width / 2 + more && Math.abs(p.y) <= box.height / 2 + more;
}

/** A Handle is one of eight: which edges it moves, -1 the left or top one, 1 the right or bottom one. */
export interface Handle {
  x: -1 | 0 | 1;
  y: -1 | 0 | 1;
}

export const handles: Handle[] = [{ x: -1, y: -1 }, { x: 0, y: -1 }, { x: 1, y: -1 }, { x: 1, y: 0 }, { x: 1, y: 1 }, { x: 0, y: 1 }, { x: -1, y: 1 }, { x: -1, y: 0 }];

/** resized is a box after its handle was moved by a vector of the page. With ratio
 * it keeps its proportions, with center its middle; else the opposite edge or
 * corner stays, however the box is turned. */
export function resized(box: Box, handle: Handle, by: Point, { ratio = false, center = false, least = 1 } = {}): Box {
  const own = turned(by, -box.angle), times = center ? 2 : 1;
  let width = Math.max(least, box.width + own.x * handle.x * times);
  let height = Math.max(least, box.height + own.y * handle.y * times);
  if (ratio && box.width > 0 && box.height > 0) {
    const wide = width / box.width, high = height / box.height;
    let scale = handle.x === 0 ? high : handle.y === 0 ? wide : Math.abs(wide - 1) > Math.abs(high - 1) ? wide : high;
    scale = Math.max(scale, least / box.width, least / box.height);
    width = box.width * scale;
    height = box.height * scale;
  }
  if (center) return { ...box, width, height };
  const shift = turned({ x: (width - box.width) / 2 * handle.x, y: (height - box.height) / 2 * handle.y }, box.angle);
  return { ...box, x: box.x + shift.x, y: box.y + shift.y, width, height };
}

/** placed is a box of a whole after the whole became another: it keeps its share of it. */
export function placed(box: Box, was: Rect, is: Rect): Box {
  const sx = (is.right - is.left) / (was.right - was.left || 1), sy = (is.bottom - is.top) / (was.bottom - was.top || 1);
  const quarter = Math.abs(box.angle % 180 - 90) < 45 && Math.abs(box.angle % 180) > 45;
  return {
    ...box, x: is.left + (box.x - was.left) * sx, y: is.top + (box.y - was.top) * sy,
    width: box.width * (quarter ? sy : sx), height: box.height * (quarter ? sx : sy),
  };
}

/** direction is the angle from one point to another, 0 upwards, clockwise. */
export const direction = (from: Point, to: Point): number => (Math.atan2(to.x - from.x, from.y - to.y) * 180 / Math.PI + 360) % 360;

/** inTurn is an angle from -180 (not included) to 180. */
export function inTurn(degrees: number): number {
  const a = ((degrees % 360) + 360) % 360;
  return a > 180 ? a - 360 : a;
}

/** rounded is a number with at most two digits behind the point. */
export const rounded = (n: number): number => Math.round(n * 100) / 100 || 0;
