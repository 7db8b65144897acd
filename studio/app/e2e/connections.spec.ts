import { createServer, type Server } from 'node:http';

import { expect, test as base } from './daemon.ts';

// shop is a server of somebody else, that gives rows to who has its key.
interface Shop { url: string; rows: object[] }

const test = base.extend<object, { shop: Shop }>({
  shop: [async ({}, use) => {
    const shop: Shop = { url: '', rows: [{ id: 1, name: 'Kettle', price: 20 }, { id: 2, name: 'Mug', price: 9 }] };
    const server: Server = createServer((request, answer) => {
      if (request.headers.authorization !== 'Bearer open-sesame') {
        answer.writeHead(401).end('who are you?');
        return;
      }
      answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ items: shop.rows }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    shop.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    await use(shop);
    server.close();
  }, { scope: 'worker' }],
});

test.use({
  world: {
    files: { 'bad.csv': 'sku,name\nB-1,Chair\nB-1,Table\n' },
    config: `egress: { allow: ["127.0.0.1"] }
sources:
  doubles: { kind: file, path: bad.csv, key: sku, every: 1s }
sinks:
  deaf: { kind: webhook, url: "http://127.0.0.1:9/hook" }
`,
  },
});

test('a source is made with the form of its kind, tested before it is there, and its secret is kept', async ({ page, shop, daemon }) => {
  await page.goto('/studio/sources');
  await page.getByRole('link', { name: 'New source' }).click();
  await expect(page.getByRole('button', { name: /^file/ })).toBeDisabled();
  await page.getByRole('button', { name: /^http/ }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('shop');
  await page.getByLabel('url', { exact: false }).first().fill(shop.url);
  const more = page.getByText('More settings').first();
  await more.click();
  await page.getByRole('textbox', { name: 'rows' }).fill('$.items');
  await page.getByRole('textbox', { name: /^key/ }).fill('id');

  await page.getByRole('button', { name: 'Test the connection' }).click();
  const outcome = page.getByRole('region', { name: 'Test', exact: true });
  await expect(outcome).toContainText('It does not work yet');
  await expect(outcome).toContainText('401');

  await page.getByLabel('bearer').fill('open-sesame');
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await expect(outcome.getByRole('region', { name: 'Sample rows' })).toContainText('Kettle');
  await page.getByRole('button', { name: 'Make the source' }).click();
  await expect(page).toHaveURL(/\/studio\/sources\/shop$/);

  await page.getByRole('tab', { name: 'Configuration' }).click();
  await expect(page.getByLabel('bearer')).toHaveValue('');
  await page.getByText('More settings').first().click();
  await page.getByRole('textbox', { name: 'every' }).fill('7m');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('shop is saved, and in effect')).toBeVisible();
  const { source } = await daemon.ask<{ source: { config: Record<string, unknown> } }>('/sources/shop');
  expect(source.config).toMatchObject({ every: '7m', bearer: '***', key: 'id' });
  await page.getByRole('tab', { name: 'State' }).click();
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await expect(page.getByRole('region', { name: 'Test', exact: true })).toContainText('It works');
});

test('what is wrong stands at its field', async ({ page }) => {
  await page.goto('/studio/sinks/new?kind=webhook');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('hook');
  await page.getByLabel('url', { exact: false }).first().fill('http://10.1.2.3/hook');
  await page.getByRole('button', { name: 'Make the sink' }).click();
  await expect(page.getByText(/10\.1\.2\.3 is not a public address/).first()).toBeVisible();
  await expect(page.getByLabel('url', { exact: false }).first()).toHaveAttribute('aria-invalid', 'true');
});

test('what is kept out says why and where', async ({ page }) => {
  await page.goto('/studio/sources/doubles');
  await page.getByRole('tab', { name: /Kept out/ }).click();
  await expect(page.getByRole('region', { name: 'What is kept out' })).toContainText('duplicate key');
});

test('a sink that does not hear is tested, paused and resumed', async ({ page }) => {
  await page.goto('/studio/sinks/deaf');
  await page.getByRole('button', { name: 'Send a test' }).click();
  await expect(page.getByRole('region', { name: 'What came of the test' })).toContainText('It did not arrive');
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('A person has paused it: what waits stays')).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
});
