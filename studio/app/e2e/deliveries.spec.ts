import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { type Daemon, expect, test as base } from './daemon.ts';

// A receiver that refuses everything until it is told otherwise. It has a port of
// its own before the daemon starts.
const receiver = { status: 302, got: 0, server: undefined as Server | undefined };

const test = base.extend<object, { port: number }>({
  port: [async ({}, use) => {
    const server = createServer((request, answer) => {
      request.resume();
      receiver.got++;
      answer.writeHead(receiver.status, { 'Content-Type': 'application/json' });
      answer.end(receiver.status < 300 ? '{}' : '{"error":"no such product"}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    await use((server.address() as AddressInfo).port);
    server.close();
  }, { scope: 'worker' }],
  world: [async ({ port }, use) => use({
    templates: ['examples/quickstart/templates'],
    files: { 'products.csv': 'sku,name,tagline,price,sale,category,stock\nA-1,One,first,1,false,Bags,1\nA-2,Two,second,2,false,Bags,1\nA-3,Three,third,3,false,Bags,1\n' },
    config: `egress: { allow: [127.0.0.1] }\nsources:\n  catalog: { kind: file, path: products.csv, key: sku }\nsinks:\n  shop: { kind: webhook, url: "http://127.0.0.1:${port}/hooks", secret: "whsec_cXVpY2tzdGFydC1kZW1vLXNlY3JldA==" }\nbindings:\n  - { name: cards, source: catalog, template: product-card, map: { title: name }, sinks: [shop] }\n`,
  }), { scope: 'worker' }],
});

const inState = (daemon: Daemon, state: string) => daemon.ask<{ deliveries: { id: string }[] }>(`/deliveries?sink=shop&state=${state}`).then((d) => d.deliveries.length);

test('what a receiver refused stands under its cause, and is given up, or sent again one by one and together', async ({ page, daemon }) => {
  await expect.poll(() => inState(daemon, 'dead'), { timeout: 60_000 }).toBe(3);
  await page.goto('/studio/dead-letters');
  const group = page.getByRole('article');
  await expect(group).toHaveCount(1);
  await expect(group.getByRole('heading')).toHaveText('shop: 3 dead letters');
  await expect(group.getByText('redirects are not followed').first()).toBeVisible();

  await group.getByRole('button', { name: 'Show them' }).click();
  const letters = group.locator('.letter');
  await expect(letters).toHaveCount(3);
  await letters.first().getByRole('button', { name: 'Payload' }).click();
  await expect(letters.first().getByText('"outputs"')).toBeVisible();

  await letters.filter({ hasText: 'A-1' }).getByRole('button', { name: 'Discard' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await expect(dialog.getByLabel('Reason')).toBeFocused(); // it is asked for
  await dialog.getByLabel('Reason').fill('sold out');
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await expect(letters).toHaveCount(2);
  expect(await inState(daemon, 'discarded')).toBe(1);

  receiver.status = 204;
  await letters.filter({ hasText: 'A-2' }).getByRole('button', { name: 'Replay' }).click();
  await expect(letters).toHaveCount(1);
  await group.getByRole('button', { name: 'Replay all' }).click();
  await dialog.getByRole('button', { name: 'Replay all' }).click();
  await expect(page.getByRole('heading', { name: 'There are no dead letters' })).toBeVisible();
  await expect.poll(() => inState(daemon, 'delivered'), { timeout: 30_000 }).toBe(2);
});

test('deliveries are found by their state, and one shows every attempt with its answer', async ({ page, daemon }) => {
  await expect.poll(() => inState(daemon, 'delivered'), { timeout: 30_000 }).toBe(2);
  await page.goto('/studio/deliveries');
  await expect(page.getByRole('list', { name: 'Sinks' }).getByRole('link', { name: 'shop' })).toHaveAttribute('href', '/studio/sinks/shop');
  const table = page.getByRole('region', { name: 'Deliveries' });
  await expect(table.getByRole('row')).toHaveCount(4);
  await page.getByLabel('State').selectOption('delivered');
  await expect(page).toHaveURL(/state=delivered/);
  await expect(table.getByRole('row')).toHaveCount(3);
  await table.getByRole('link', { name: 'render.completed' }).first().click();
  await expect(page.getByText('Arrived, 204')).toBeVisible();
  await expect(page.getByText('Failed, 302')).toBeVisible();
  await page.getByText(/What was answered/).last().click();
  await expect(page.getByText('{"error":"no such product"}').last()).toBeVisible();

  const before = receiver.got;
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect.poll(() => receiver.got).toBe(before + 1);
  await page.goBack();
  await expect(page).toHaveURL(/state=delivered/);
  await page.getByLabel('Key').fill('A-1');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'No delivery fits these filters' })).toBeVisible();
});
