// takumi: a renderer in Rust that knows a part of CSS, without a browser. Four
// images in flight, which its thread pool draws; the font is registered once.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Renderer } from '@takumi-rs/core';
import { card } from './card.js';
import { dir, format, measure, quality, rows, version, workload } from './peer.js';

const node = ({ style, content, children }) => (content === undefined
  ? { type: 'container', style, children: (children ?? []).map(node) }
  : { type: 'text', style, text: content });

const renderer = new Renderer();
await renderer.registerFont({ name: 'Inter', data: await readFile(join(dir, 'assets/fonts/inter-latin.woff2')) });
const { width, height } = workload;
const options = format === 'png' ? { width, height, format } : { width, height, format, quality };
await measure('takumi', await version('@takumi-rs/core'), 4, (n) => renderer.render(node(card(rows[n])), options));
