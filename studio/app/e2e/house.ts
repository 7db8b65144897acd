// A house that is lived in, for what looks at every page: products and their
// cards, a receiver that refuses them, a source that is lost, a change that a
// guard holds, a batch with bad rows, cards that are compared.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';

import { type Daemon, expect, test as base } from './daemon.ts';

const example = (path: string, lines?: number) => readFileSync(resolve(import.meta.dirname, '../../../examples', path), 'utf8').trim().split('\n').slice(0, lines).join('\n') + '\n';
const furniture = example('catalog/products.csv', 25);

/** dearer is the furniture with every price doubled: more than a guard lets through. */
const dearer = furniture.replace(/,(\d+\.\d\d),(\d+)$/gm, (_, price: string, stock: string) => `,${(Number(price) * 2).toFixed(2)},${stock}`);

export interface House {
  job: string;
  delivery: string;
  image: string; // its address in the gallery
  experiment: string;
}

/** test has the daemon of the house, and what stands in it. */
export const test = base.extend<object, { port: number; house: House }>({
  port: [async ({}, use) => {
    const server: Server = createServer((request, answer) => {
      request.resume();
      answer.writeHead(422, { 'Content-Type': 'application/json' });
      answer.end('{"error":"no such product in the shop"}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    await use((server.address() as AddressInfo).port);
    server.close();
  }, { scope: 'worker' }],
  world: [async ({ port }, use) => use({
    templates: ['examples/quickstart/templates', 'examples/catalog/templates', 'examples/campaign/templates'],
    files: { 'products.csv': example('quickstart/products.csv'), 'furniture.csv': furniture },
    config: `egress: { allow: [127.0.0.1] }
sources:
  products: { kind: file, path: products.csv, key: sku }
  furniture: { kind: file, path: furniture.csv, key: sku, every: 1s }
  prices: { kind: file, path: "prices/*.csv", key: sku, every: 1s }
sinks:
  shop: { kind: webhook, url: "http://127.0.0.1:${port}/hooks/images", secret: "whsec_cXVpY2tzdGFydC1kZW1vLXNlY3JldA==" }
  crm: { kind: http, method: PATCH, url: "http://127.0.0.1:${port}/products/{{ key }}", json: { photo: url } }
  folder: { kind: file, path: "out/{{ key }}.{{ ext }}" }
bindings:
  - { name: product-cards, source: products, template: product-card, map: { title: name }, sinks: [shop, crm, folder], public: true }
  - { name: og-cards, source: furniture, template: og-card, outputs: [{ format: jpeg }], guard: { max_changed: 50%, floor: 20 } }
  - { name: price-tags, source: prices, template: product-card, map: { title: name } }
`,
  }), { scope: 'worker' }],
  house: [async ({ daemon }, use) => use(await furnish(daemon)), { scope: 'worker', timeout: 180_000 }],
});

async function furnish(daemon: Daemon): Promise<House> {
  const patient = { timeout: 20_000 };
  interface Bound { binding: { ready: number; held?: { changes: number } } }
  await expect.poll(async () => (await daemon.ask<Bound>('/bindings/product-cards')).binding.ready, patient).toBe(12);
  await expect.poll(async () => (await daemon.ask<Bound>('/bindings/og-cards')).binding.ready, patient).toBe(24);
  const [head, ...rows] = example('campaign/customers.csv', 17).trim().split('\n');
  const bad = rows.slice(0, 2).map((r) => r.replace(/@/, '@old.').replace(/,\d+,/, ',many,'));
  const { jobId } = await daemon.ask<{ jobId: string }>('/templates/announcement/batch-render?rowKey=email&format=jpeg', { method: 'POST', body: [head, ...rows, ...bad].join('\n'), headers: { 'Content-Type': 'text/csv' } });
  await expect.poll(async () => (await daemon.ask<{ status: string }>(`/jobs/${jobId}`)).status, patient).toBe('partial');
  daemon.write('furniture.csv', dearer);
  await expect.poll(async () => (await daemon.ask<Bound>('/bindings/og-cards')).binding.held?.changes ?? 0, patient).toBeGreaterThan(0);
  daemon.write('products.csv', example('quickstart/products.csv').replace('89.00', '79.00'));
  interface Letters { deliveries: { id: string }[] }
  await expect.poll(async () => (await daemon.ask<Letters>('/deliveries?sink=shop')).deliveries.length, patient).toBeGreaterThanOrEqual(2);
  await expect.poll(async () => (await daemon.ask<Letters>('/deliveries?sink=crm&state=dead')).deliveries.length, patient).toBeGreaterThanOrEqual(12); // that a 422 ends at once
  interface Images { images: { id: string; key: string; generation: number }[] }
  await expect.poll(async () => (await daemon.ask<Images>('/images?binding=product-cards&key=CB-110')).images[0]?.generation, patient).toBe(2);
  await daemon.ask('/keys', { json: { name: 'shop-backend', scopes: ['renders:write', 'images:read'], rate: 600 } });
  const [refused] = (await daemon.ask<Letters>('/deliveries?sink=shop')).deliveries;
  const made = await daemon.ask<{ templates: unknown[] }>('/templates');
  expect(made.templates).toHaveLength(3);
  return { job: jobId, delivery: refused!.id, image: '/studio/images?binding=product-cards&key=CB-110', experiment: await compare(daemon) };
}

/** compare has three cards compared, and one that is shown to phones; people on the web and by mail see the first, and some click. */
async function compare(daemon: Daemon): Promise<string> {
  const mug = { title: 'Enamel Mug', price: 14.9, category: 'Kitchen' };
  const card = (id: string, name: string, variables: object, more: object = {}) => ({ id, name, templateUid: 'product-card', variables: { ...mug, ...variables }, ...more });
  interface Made { experiment: { id: string } }
  const goalConfig = { type: 'click_through', destinationUrl: 'https://shop.example/mugs' };
  const made = await daemon.ask<Made>('/experiments', { json: {
    name: 'Mugs in the newsletter', slug: 'mugs', type: 'ab_test', hypothesis: 'A price that falls gets more clicks than one that is low.', goalConfig, minimumRunDays: 7, minimumSampleSize: 500,
    variants: [card('plain', 'Plain', {}, { weight: 3400, isDefault: true }), card('sale', 'On sale', { sale: true }, { weight: 3300 }), card('gift', 'As a gift', { title: 'The mug they will keep', tagline: 'Wrapped, with a card' }, { weight: 3300 })],
  } });
  await daemon.ask<Made>('/experiments', { json: {
    name: 'Card on phones', slug: 'card-on-phones', type: 'smart_link', goalConfig,
    variants: [card('wide', 'Wide', {}, { isDefault: true }), card('short', 'Short', { title: 'Mug' }, { conditions: { type: 'rule', property: 'device', operator: 'equals', value: 'mobile' } })],
  } });
  const at = `/experiments/${made.experiment.id}`;
  await daemon.ask(`${at}/start`, { json: {} });
  const every: Record<string, number> = { plain: 9, sale: 4, gift: 7 }; // of those who see a card one clicks
  const seen: Record<string, number> = {};
  for (let i = 0; i < 240; i++) {
    const headers = { 'User-Agent': i % 3 ? 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' : 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)' };
    const answer = await fetch(`${daemon.url}/s/mugs/visitor-${i}.png`, { headers });
    await answer.arrayBuffer();
    const variant = answer.headers.get('X-Variant') ?? '';
    seen[variant] = (seen[variant] ?? 0) + 1;
    if (seen[variant] % (every[variant] ?? 1) === 0) await fetch(`${daemon.url}/s/mugs/visitor-${i}/click`, { headers, redirect: 'manual' });
  }
  await daemon.ask(`${at}/assignments`, { json: { units: Array.from({ length: 60 }, (_, i) => `reader-${i}`), channel: 'email' } });
  for (let i = 0; i < 12; i++) await (await fetch(`${daemon.url}/s/mugs.png`, { headers: { 'User-Agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)' } })).arrayBuffer();
  interface Counted { experiment: { variants: { stats: { exposures: number } }[] } }
  await expect.poll(async () => (await daemon.ask<Counted>(at)).experiment.variants.reduce((sum, v) => sum + v.stats.exposures, 0), { timeout: 20_000 }).toBe(300);
  return made.experiment.id;
}

export { expect } from '@playwright/test';
