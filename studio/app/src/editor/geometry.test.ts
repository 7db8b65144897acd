import { expect, test } from '@playwright/test';

import { corners, inTurn, placed, rectOf, resized, within } from './geometry.ts';
import type { Box } from './model.ts';

const box: Box = { x: 100, y: 50, width: 80, height: 40, angle: 0 };

/** corner is one of four, from the top left on, of a box that may be turned. */
const corner = (b: Box, i: number) => {
  const p = corners(b)[i]!;
  return [Math.round(p.x * 1e6) / 1e6, Math.round(p.y * 1e6) / 1e6];
};

test('a handle leaves the opposite corner where it is, however the box is turned', () => {
  for (const angle of [0, 30, 90, 200, -45]) {
    const b = { ...box, angle };
    expect(corner(resized(b, { x: 1, y: 1 }, { x: 13, y: -7 }), 0)).toEqual(corner(b, 0));
    expect(corner(resized(b, { x: -1, y: -1 }, { x: 13, y: -7 }), 2)).toEqual(corner(b, 2));
    expect(corner(resized(b, { x: -1, y: 1 }, { x: 5, y: 9 }, { ratio: true }), 1)).toEqual(corner(b, 1));
  }
});

test('with its middle kept a box grows on both sides', () => {
  expect(resized(box, { x: 1, y: 0 }, { x: 10, y: 99 }, { center: true })).toEqual({ ...box, width: 100 });
});

test('with its proportions kept a corner follows the axis that moves more, and an edge takes the other with it', () => {
  const corner = resized(box, { x: 1, y: 1 }, { x: 40, y: 1 }, { ratio: true });
  expect([corner.width, corner.height]).toEqual([120, 60]);
  const edge = resized(box, { x: 0, y: 1 }, { x: 0, y: 40 }, { ratio: true });
  expect([edge.width, edge.height]).toEqual([160, 80]);
});

test('a box never becomes smaller than a pixel', () => {
  const b = resized(box, { x: 1, y: 1 }, { x: -500, y: -500 });
  expect([b.width, b.height]).toEqual([1, 1]);
});

test('a turned box lies in the rectangle around it, and a point in it is found', () => {
  const r = rectOf({ ...box, angle: 90 });
  expect([r.left, r.right, r.top, r.bottom].map(Math.round)).toEqual([80, 120, 10, 90]);
  expect(within({ ...box, angle: 90 }, { x: 100, y: 85 })).toBe(true);
  expect(within({ ...box, angle: 90 }, { x: 135, y: 50 })).toBe(false);
});

test('of a whole that is stretched every box keeps its share, and one on its side changes its own axes', () => {
  const was = { left: 0, top: 0, right: 200, bottom: 100 }, is = { left: 0, top: 0, right: 400, bottom: 100 };
  expect(placed(box, was, is)).toEqual({ ...box, x: 200, width: 160 });
  expect(placed({ ...box, angle: 90 }, was, is)).toEqual({ ...box, angle: 90, x: 200, height: 80 });
});

test('angles come to one form', () => {
  expect([inTurn(190), inTurn(-190), inTurn(360), inTurn(180), inTurn(-180)]).toEqual([-170, 170, 0, 180, 180]);
});
