// satori makes an SVG of a tree of elements, resvg pixels of that. Two images in
// flight. satori shows only the default weight of a variable font, so it is given
// a static file of the same Inter for each weight.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { renderAsync } from '@resvg/resvg-js';
import satori from 'satori';
import { card } from './card.js';
import { measure, rows, version, workload } from './peer.js';

const element = ({ style, content, children }) => ({
  type: 'div', props: { style, children: content ?? (children ?? []).map(element) },
});

const file = (weight) => readFile(createRequire(import.meta.url).resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff`));
const fonts = await Promise.all([400, 700].map(async (weight) => ({ name: 'Inter', weight, style: 'normal', data: await file(weight) })));
const { width, height } = workload;
const versions = `${await version('satori')}, resvg ${await version('@resvg/resvg-js')}`;
await measure('satori + resvg', versions, 2, async (n) => {
  const svg = await satori(element(card(rows[n])), { width, height, fonts });
  return (await renderAsync(svg, { font: { loadSystemFonts: false } })).asPng();
});
