// New layers: each begins as something that is seen, in the middle of the page,
// with examples that need no variable.

import { path, request } from '../api/client.ts';
import { toast } from '../ui/toast.tsx';
import type { Doc } from './document.ts';
import type { Op } from './model.ts';
import type { Point } from './stage.ts';

interface NewNode {
  tag: string;
  class?: string;
  attrs?: Record<string, string>;
  style?: Record<string, string>;
  text?: string;
  children?: NewNode[];
  id?: string;
}

export interface Template {
  name: string;
  about: string;
  word: string; // its id begins with
  width: number; // of 1000 units of the page's shorter side
  height: number;
  node: (px: (units: number) => string) => NewNode;
}

const chart = '{{ [{ label: "A", value: 4 }, { label: "B", value: 7 }, { label: "C", value: 5 }] }}';

/** templates are what the menu offers, in its order. */
export const templates: Template[] = [
  { name: 'Text', about: 'A text that shrinks to its box', word: 'text', width: 500, height: 110, node: (px) => ({ tag: 'div', attrs: { 'p-fit': 'shrink', 'p-min': '12' }, style: { 'font-size': px(64), 'font-weight': '600', 'line-height': '1.15' }, text: 'Text' }) },
  { name: 'Image', about: 'A picture, from a file, an address or a variable', word: 'image', width: 400, height: 300, node: () => ({ tag: 'img', attrs: { src: empty, alt: '', 'p-onerror': 'hide' }, style: { 'object-fit': 'cover' } }) },
  { name: 'Rectangle', about: 'A shape with a ground, a border, round corners', word: 'shape', width: 320, height: 200, node: () => ({ tag: 'div', style: { background: '#0f766e' } }) },
  { name: 'Ellipse', about: 'A round shape', word: 'ellipse', width: 240, height: 240, node: () => ({ tag: 'div', style: { background: '#c2410c', 'border-radius': '50%' } }) },
  { name: 'Line', about: 'A thin shape', word: 'line', width: 400, height: 4, node: () => ({ tag: 'div', style: { background: '#334155' } }) },
  { name: 'Stack', about: 'Layers that follow each other', word: 'stack', width: 500, height: 120, node: (px) => ({ tag: 'div', class: 'p-stack', style: { 'flex-direction': 'row', gap: px(16) } }) },
  { name: 'QR code', about: 'Of a text or an address', word: 'qr', width: 240, height: 240, node: () => ({ tag: 'div', attrs: { 'p-qr': '{{ "https://example.com" }}' } }) },
  { name: 'Barcode', about: 'Of an article number or a short text', word: 'barcode', width: 400, height: 140, node: () => ({ tag: 'div', attrs: { 'p-barcode': '{{ "4006381333931" }}', 'p-symbology': 'ean13' } }) },
  { name: 'Chart', about: 'Of numbers', word: 'chart', width: 500, height: 300, node: () => ({ tag: 'div', attrs: { 'p-chart': chart, 'p-kind': 'bar' } }) },
  { name: 'Table', about: 'Of a list', word: 'table', width: 500, height: 160, node: () => ({ tag: 'table', attrs: { 'p-table': '{{ [{ Item: "A", Price: 4 }, { Item: "B", Price: 7 }] }}' } }) },
  { name: 'Rating', about: 'Stars', word: 'rating', width: 260, height: 48, node: () => ({ tag: 'div', attrs: { 'p-rating': '{{ 4.5 }}' } }) },
  { name: 'Countdown', about: 'The time left until a moment', word: 'countdown', width: 420, height: 110, node: () => ({ tag: 'div', attrs: { 'p-countdown': '{{ "2030-01-01" }}' } }) },
];

// A picture that says that there is none yet.
const empty = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 30'%3E%3Crect width='40' height='30' fill='%23cbd5e1'/%3E%3Cpath d='M6 24l9-11 6 7 4-5 9 9z' fill='%2394a3b8'/%3E%3Ccircle cx='29' cy='9' r='3' fill='%2394a3b8'/%3E%3C/svg%3E";

/** insert adds a layer to the group or stack that was entered, or to the page, and selects it. */
export function insert(doc: Doc, t: Template, at: Point | null = null, change: (node: NewNode) => void = () => undefined): Promise<boolean> {
  const { value: view } = doc.view;
  if (!view) return Promise.resolve(false);
  const unit = Math.min(view.width, view.height) / 1000, px = (units: number) => `${Math.max(1, Math.round(units * unit))}px`;
  const scope = doc.node(doc.scope.value), parent = scope && !scope.locked ? scope.address : doc.page.value;
  const id = doc.freeId(t.word), node: NewNode = { ...t.node(px), id };
  const width = Math.max(1, Math.round(t.width * unit)), height = Math.max(1, Math.round(t.height * unit));
  const middle = at ?? { x: view.width / 2, y: view.height / 2 };
  const flows = scope?.kind === 'stack';
  node.style = { ...(flows ? {} : { left: `${Math.round(middle.x - width / 2)}px`, top: `${Math.round(middle.y - height / 2)}px` }), width: `${width}px`, ...(t.word === 'table' ? {} : { height: `${height}px` }), ...node.style };
  change(node);
  const ops: Op[] = [{ op: 'add_node', parent, node }];
  return doc.apply(ops, { label: `Insert ${t.name.toLowerCase()}`, select: [id] });
}

const pictures: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/gif': 'gif', 'image/svg+xml': 'svg', 'image/avif': 'avif' };

interface Uploaded {
  revision: number;
  inverse: Op[];
  asset: { path: string; digest: string };
}

/** upload puts a file among the assets of the draft, under a name that is free, and gives its path in the document. */
export async function upload(doc: Doc, file: File): Promise<string> {
  const ending = pictures[file.type] ?? file.name.split('.').pop()?.toLowerCase() ?? 'bin';
  const stem = file.name.replace(/\.[^.]*$/, '').toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'picture';
  let name = `${stem}.${ending}`;
  for (let i = 2; `assets/${name}` in doc.assets.value; i++) name = `${stem}-${i}.${ending}`;
  const { data } = await request<Uploaded>(path`/templates/${doc.id}/draft/assets/${name}`, { method: 'PUT', body: file, type: file.type || 'application/octet-stream', ifMatch: `"${doc.revision.value}"` });
  await doc.pushed(`Upload ${name}`, data.revision, data.inverse);
  return data.asset.path;
}

/** insertFiles uploads pictures and shows each as a layer, where it was dropped. */
export async function insertFiles(doc: Doc, files: File[], at: Point | null): Promise<void> {
  const image = templates.find((t) => t.word === 'image')!;
  for (const file of files) {
    if (!file.type.startsWith('image/')) {
      toast(`${file.name} is no picture; it was left out.`);
      continue;
    }
    const [source, shape] = await Promise.all([upload(doc, file), shapeOf(file)]);
    const { value: view } = doc.view;
    await insert(doc, image, at, (node) => {
      node.attrs = { ...node.attrs, src: source };
      if (!shape || !view || !node.style) return;
      const scale = Math.min(1, view.width * 0.8 / shape.width, view.height * 0.8 / shape.height);
      const width = Math.round(shape.width * scale), height = Math.round(shape.height * scale), middle = at ?? { x: view.width / 2, y: view.height / 2 };
      Object.assign(node.style, { width: `${width}px`, height: `${height}px` });
      if (node.style.left) Object.assign(node.style, { left: `${Math.round(middle.x - width / 2)}px`, top: `${Math.round(middle.y - height / 2)}px` });
    });
  }
}

async function shapeOf(file: File): Promise<{ width: number; height: number } | null> {
  try {
    const picture = await createImageBitmap(file);
    const shape = { width: picture.width, height: picture.height };
    picture.close();
    return shape;
  } catch {
    return null; // an SVG without a size
  }
}
