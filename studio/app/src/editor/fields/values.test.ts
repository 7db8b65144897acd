import { expect, test } from '@playwright/test';

import { css, hexOf, rgbOf, split, tokenOf } from './colours.ts';
import { gradientOf, gradientText } from './gradients.ts';
import { amount, lengthOf, printed } from './lengths.ts';
import { shadowsOf, shadowsText } from './shadows.ts';

test('a length is a number and a unit, and nothing else is one', () => {
  expect(lengthOf(' -.5em ')).toEqual({ n: -0.5, unit: 'em' });
  expect(lengthOf('0')).toEqual({ n: 0, unit: '' });
  expect(lengthOf('50 %')).toEqual({ n: 50, unit: '%' });
  for (const bad of ['auto', 'calc(1px + 2px)', '{{ w }}px', '', undefined]) expect(lengthOf(bad)).toBeUndefined();
  expect(printed({ n: 10.005, unit: 'px' })).toBe('10.01px');
  expect(printed({ n: -0.001, unit: 'px' })).toBe('0px');
});

test('a number field takes sums, and refuses what is no number', () => {
  expect(amount('120+16')).toBe(136);
  expect(amount('1080/3')).toBe(360);
  expect(amount('1,5')).toBe(1.5);
  expect(amount('-4')).toBe(-4);
  for (const bad of ['', 'abc', '1/0', '1+', '1 2']) expect(amount(bad)).toBeUndefined();
});

test('colours are read in each spelling and printed in one', () => {
  expect(hexOf('#abc')).toEqual({ r: 170, g: 187, b: 204, a: 1 });
  expect(css(hexOf('e11d48')!)).toBe('#e11d48');
  expect(css(rgbOf('rgba(225, 29, 72, .5)')!)).toBe('rgb(225 29 72 / 0.5)');
  expect(rgbOf('rgb(100% 0% 0% / 50%)')).toEqual({ r: 255, g: 0, b: 0, a: 0.5 });
  for (const bad of ['#12345', 'rgb(1)', 'rgb(a b c)']) expect(hexOf(bad) ?? rgbOf(bad)).toBeUndefined();
  expect(tokenOf('var(--accent)')).toBe('accent');
  expect(tokenOf('var(--accent, #fff)')).toBe('accent');
  expect(tokenOf('#fff')).toBeUndefined();
});

test('commas in brackets do not part', () => {
  expect(split('rgb(1, 2, 3) 0%, var(--a, b) 50%')).toEqual(['rgb(1, 2, 3) 0%', 'var(--a, b) 50%']);
});

test('a gradient that is read and printed is the same gradient', () => {
  for (const text of ['linear-gradient(135deg, #e11d48 0%, var(--ink) 40%, rgb(0 0 0 / 0.5) 100%)', 'radial-gradient(circle at 30% 70%, #fff 0%, #000 100%)']) {
    expect(gradientText(gradientOf(text)!)).toBe(text);
  }
  expect(gradientOf('linear-gradient(to right, red, blue)')).toMatchObject({ angle: 90, stops: [{ at: 0 }, { at: 100 }] });
  expect(gradientOf('linear-gradient(red, green, blue)')!.stops.map((s) => s.at)).toEqual([0, 50, 100]);
  for (const more of ['conic-gradient(red, blue)', 'linear-gradient(red 10px, blue)', 'linear-gradient(red 0%, blue 100%), url(a.png)', 'radial-gradient(200px at left, red, blue)', '#fff']) {
    expect(gradientOf(more), more).toBeUndefined();
  }
});

test('shadows are read and printed', () => {
  expect(shadowsText(shadowsOf('0 8px 24px rgb(0 0 0 / 0.3), inset 0 0 0 2px #fff')!)).toBe('0 8px 24px 0 rgb(0 0 0 / 0.3), inset 0 0 0 2px #fff');
  expect(shadowsText(shadowsOf('1px 2px 3px red')!, true)).toBe('1px 2px 3px red');
  expect(shadowsOf('none')).toEqual([]);
  expect(shadowsOf('1em 1em red')).toBeUndefined();
});
