import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Page } from '@playwright/test';

import { type Daemon, expect, test } from './daemon.ts';

const example = (path: string) => readFileSync(resolve(import.meta.dirname, '../../../examples', path), 'utf8');
const products = example('quickstart/products.csv').split('\n').slice(0, 5).join('\n') + '\n';

test.use({
  world: {
    templates: ['examples/quickstart/templates', 'examples/campaign/templates'],
    files: { 'products.csv': products },
    config: 'sources:\n  catalog: { kind: file, path: products.csv, key: sku }\nbindings:\n  - { name: cards, source: catalog, template: product-card, map: { title: name } }\n',
  },
});

interface Images {
  images: { key: string; generation: number; path: string }[];
}

const images = async (daemon: Daemon, query: string) => (await daemon.ask<Images>(`/images?${query}`)).images;

/** many sends a batch of rows that all show the same, so that it is drawn once. */
async function many(daemon: Daemon, rows: number): Promise<string> {
  const [head, line] = example('campaign/customers.csv').split('\n') as [string, string];
  const csv = [`n,${head}`, ...Array.from({ length: rows }, (_, i) => `${i},${line}`)].join('\n');
  const { jobId } = await daemon.ask<{ jobId: string }>('/templates/announcement/batch-render?rowKey=n&format=jpeg', { method: 'POST', body: csv, headers: { 'Content-Type': 'text/csv' } });
  return jobId;
}

const ended = (daemon: Daemon, job: string) => expect.poll(async () => (await daemon.ask<{ status: string }>(`/jobs/${job}`)).status, { timeout: 120_000 }).toBe('completed');

test('images are there, by filter, and the filter stands in the address', async ({ page, daemon }) => {
  await expect.poll(() => images(daemon, 'binding=cards').then((i) => i.length), { timeout: 60_000 }).toBe(4);
  await page.goto('/studio/images');
  const list = page.getByRole('list', { name: 'Images' });
  await expect(list.getByRole('link')).toHaveCount(4);
  await page.getByLabel('Binding').selectOption('cards');
  await expect(page).toHaveURL(/binding=cards/);
  await page.getByLabel('Key').fill('CB-110');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/key=CB-110/);
  await expect(list.getByRole('link')).toHaveCount(1);
  await page.reload();
  await expect(page.getByLabel('Key')).toHaveValue('CB-110');
  await page.getByLabel('Key').fill('no-such-key');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'No image fits these filters' })).toBeVisible();
  await page.getByRole('button', { name: 'Take the filters away' }).click();
  await expect(list.getByRole('link')).toHaveCount(4);
});

test('one of them says what it is made of, and what it was before', async ({ page, daemon }) => {
  await expect.poll(() => images(daemon, 'binding=cards').then((i) => i.length), { timeout: 60_000 }).toBe(4);
  await page.goto('/studio/images?binding=cards');
  const list = page.getByRole('list', { name: 'Images' });
  await expect(list.getByRole('link')).toHaveCount(4);
  const name = products.split('\n')[1]!.split(',')[1]!;
  const key = products.split('\n')[1]!.split(',')[0]!;
  const pathOf = async () => (await images(daemon, `binding=cards&key=${key}`))[0]!.path;
  const before = await pathOf();
  daemon.write('products.csv', products.replace(name, 'Something else altogether'));
  await expect.poll(pathOf, { timeout: 60_000 }).not.toBe(before);
  const [newest] = await images(daemon, `binding=cards&key=${key}`);
  await expect(list.getByRole('link').first().locator('img')).toHaveAttribute('src', newest!.path); // it came to the front by itself
  await list.getByRole('link').first().click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('because the row changed')).toBeVisible();
  await expect(dialog.getByRole('definition').filter({ hasText: `${name} → Something else altogether` })).toHaveCount(1);
  await expect(dialog.getByRole('link', { name: 'product-card' })).toHaveAttribute('href', '/studio/templates/product-card');

  await dialog.getByRole('button', { name: 'Compare with the previous' }).click();
  const both = dialog.locator('.both img');
  await expect(both).toHaveCount(2);
  expect(await both.first().getAttribute('src')).not.toBe(await both.last().getAttribute('src'));
  await dialog.getByRole('slider').fill('25');
  await expect(both.last()).toHaveCSS('clip-path', 'inset(0px 0px 0px 25%)');
  await dialog.getByRole('button', { name: 'Difference' }).click();
  await expect(both.last()).toHaveCSS('mix-blend-mode', 'difference');

  const address = page.url();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.goto(address); // the open image stands in the address
  await expect(page.getByRole('dialog').getByRole('heading', { name: key })).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('dialog').getByRole('heading', { name: key })).toBeHidden();

  await page.keyboard.press('Escape');
  await list.getByRole('link').first().click();
  const asked = page.waitForResponse((r) => r.url().endsWith('/bindings/cards/refresh') && r.status() < 300);
  await page.getByRole('button', { name: 'Read and draw again' }).click();
  expect((await (await asked).request().postDataJSON()) as unknown).toEqual({ keys: [key], force: true });
});

/** walk scrolls to the end, and returns the most nodes that there were on the way. */
async function walk(page: Page, until: number): Promise<number> {
  let most = 0;
  await expect.poll(async () => {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    most = Math.max(most, await page.evaluate(() => document.querySelectorAll('*').length));
    return page.locator('header [role=status]').textContent();
  }, { timeout: 150_000, intervals: [50] }).toBe(`${until.toLocaleString('en-GB')} images`);
  return most;
}

test('5,000 images do not grow the page without bound, and the keyboard walks through them', async ({ page, daemon }) => {
  test.setTimeout(240_000);
  const job = await many(daemon, 5000);
  await ended(daemon, job);
  await page.goto(`/studio/images?job=${job}`);
  await expect(page.getByRole('list', { name: 'Images' }).getByRole('link').first()).toBeVisible();
  expect(await walk(page, 5000)).toBeLessThan(1500);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await expect(page.locator('[data-index="4999"]')).toBeInViewport();
  await page.locator('[data-index="4999"] a').focus();
  await page.keyboard.press('Home');
  await expect(page.locator('[data-index="0"] a')).toBeFocused();
  await expect(page.locator('[data-index="0"]')).toBeInViewport();
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('[data-index="1"] a')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
});
