import { expect, test } from '@playwright/test';

import type { Rect } from './geometry.ts';
import { distances, snap } from './snap.ts';

const page: Rect = { left: 0, top: 0, right: 800, bottom: 400 };
const rect = (left: number, top: number, width: number, height: number): Rect => ({ left, top, right: left + width, bottom: top + height });

test('a layer snaps to the edges and the middle of the page', () => {
  expect(snap(rect(3, 100, 50, 50), page, [], 6)).toMatchObject({ dx: -3, dy: 0 });
  expect(snap(rect(748, 100, 50, 50), page, [], 6)).toMatchObject({ dx: 2 });
  expect(snap(rect(373, 171, 50, 50), page, [], 6)).toMatchObject({ dx: 2, dy: 4 });
});

test('out of reach nothing snaps, and no guide is shown', () => {
  expect(snap(rect(107, 93, 50, 50), page, [rect(300, 300, 20, 20)], 6)).toEqual({ dx: 0, dy: 0, guides: [] });
});

test('it snaps to the edges and middles of other layers, and the guide spans both', () => {
  const found = snap(rect(104, 200, 50, 50), page, [rect(100, 20, 50, 50)], 6);
  expect(found.dx).toBe(-4);
  expect(found.guides).toContainEqual({ axis: 'x', at: 100, from: 20, to: 250 });
});

test('the nearest of several lines wins', () => {
  expect(snap(rect(104, 200, 50, 50), page, [rect(100, 20, 61, 10), rect(103, 20, 71, 10)], 6).dx).toBe(-1);
});

test('between two others it finds the middle, and says both gaps', () => {
  const found = snap(rect(205, 107, 40, 50), page, [rect(100, 90, 60, 90), rect(300, 95, 60, 90)], 6);
  expect(found.dx).toBe(5);
  const gaps = found.guides.filter((g) => g.gap !== undefined);
  expect(gaps.map((g) => [g.axis, g.from, g.to, g.gap])).toEqual([['y', 160, 210, 50], ['y', 250, 300, 50]]);
});

test('behind two others it repeats the gap that they have', () => {
  const found = snap(rect(417, 107, 40, 50), page, [rect(100, 90, 60, 90), rect(250, 95, 73, 91)], 6);
  expect(found.dx).toBe(-4); // 323 + the gap of 90
  expect(found.guides.filter((g) => g.gap === 90)).toHaveLength(2);
});

test('a resize snaps only with the edge that moves', () => {
  const lines = { x: { low: false, middle: false, high: true }, y: null };
  expect(snap(rect(3, 3, 395, 50), page, [], 6, lines)).toMatchObject({ dx: 2, dy: 0 });
  expect(snap(rect(3, 3, 300, 50), page, [], 6, lines)).toMatchObject({ dx: 0, dy: 0 });
});

test('distances are told to the edges of the page, and to a layer beside', () => {
  expect(distances(rect(100, 50, 50, 50), page).map((g) => g.gap)).toEqual([100, 650, 50, 300]);
  expect(distances(rect(100, 50, 50, 50), rect(200, 50, 50, 50))).toEqual([{ axis: 'y', at: 75, from: 150, to: 200, gap: 50 }]);
});
