// A house that is lived in, for what looks at every page: products and their
// cards, a receiver that refuses them, a source that is lost, a change that a
// guard holds, a batch with bad rows.

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
  return { job: jobId, delivery: refused!.id, image: '/studio/images?binding=product-cards&key=CB-110' };
}

export { expect } from '@playwright/test';
