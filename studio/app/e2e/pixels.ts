// Whether two pictures show the same, by the rule that the lanes of the renderer
// are held to: internal/pixels, whose limits are read from its source.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Page } from '@playwright/test';

const source = readFileSync(resolve(import.meta.dirname, '../../../internal/pixels/pixels.go'), 'utf8');

const limit = (name: string): number => {
  const found = new RegExp(`^\\s*${name}\\s*=\\s*([\\d.]+)`, 'm').exec(source);
  if (!found) throw new Error(`internal/pixels/pixels.go has no ${name}`);
  return Number(found[1]);
};

const limits = { step: limit('Step'), share: limit('MaxShare'), side: limit('TileSide'), tile: limit('TileShare') };

/** apart says how two PNGs, in base64, differ; "" where they agree. The page is any: its browser reads the pictures. */
export function apart(page: Page, ours: string, theirs: string): Promise<string> {
  return page.evaluate(async ({ pictures, most }) => {
    const read = async (text: string) => {
      const image = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: 'image/png' }));
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d', { willReadFrequently: true })!;
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    };
    const [a, b] = await Promise.all(pictures.map(read)) as [ImageData, ImageData];
    if (a.width !== b.width || a.height !== b.height) return `${a.width} by ${a.height} pixels, and ${b.width} by ${b.height}`;
    const columns = Math.ceil(a.width / most.side), tiles = new Uint32Array(columns * Math.ceil(a.height / most.side));
    let differing = 0;
    for (let i = 0; i < a.data.length; i += 4) {
      const off = (channel: number) => Math.abs(a.data[i + channel]! - b.data[i + channel]!) > most.step;
      const x = i / 4 % a.width, y = Math.floor(i / 4 / a.width);
      if (off(3)) return `other opacity at ${x}, ${y}`;
      if (!off(0) && !off(1) && !off(2)) continue;
      differing++;
      tiles[Math.floor(y / most.side) * columns + Math.floor(x / most.side)]!++;
    }
    let worst = 0, at = '';
    for (const [i, n] of tiles.entries()) {
      const x = i % columns * most.side, y = Math.floor(i / columns) * most.side;
      const share = n / (Math.min(most.side, a.width - x) * Math.min(most.side, a.height - y));
      if (share > worst) [worst, at] = [share, `${x}, ${y}`];
    }
    const share = differing / (a.width * a.height);
    return share <= most.share && worst <= most.tile ? '' : `${(100 * share).toFixed(3)} % of the pixels differ, and ${(100 * worst).toFixed(0)} % of the tile at ${at}`;
  }, { pictures: [ours, theirs], most: limits });
}
