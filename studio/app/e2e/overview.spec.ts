import { expect, test } from './daemon.ts';

test.use({
  world: {
    templates: ['examples/quickstart/templates'],
    files: { 'things.csv': 'sku,name,price\nS-1,Kettle,20\nS-2,Mug,9\n' },
    config: `sources:
  things: { kind: file, path: things.csv, key: sku, every: 1s }
  lost: { kind: file, path: nowhere/*.csv, key: sku, every: 1s }
bindings:
  - { name: cards, source: things, template: product-card, map: { title: name, sale: "false" } }
  - { name: lost-cards, source: lost, template: product-card, map: { title: name, sale: "false" } }
`,
  },
});

test('one sentence says how it is, with its age, and each need has a cause and a next step', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('is not there');
  await expect(page.getByText(/^as of/)).toBeVisible();
  const needs = page.getByRole('region', { name: /Needs attention/ });
  const lost = needs.getByRole('listitem').filter({ hasText: 'lost' });
  await expect(lost.first()).toContainText('is not there');
  await expect(lost.first().locator('button, a.button')).toHaveCount(1);
  await lost.first().getByRole('link').first().click();
  await expect(page).toHaveURL(/\/studio\/(sources|bindings)\/lost/);
});

test('every number leads to its list, and the newest images are there', async ({ page }) => {
  await page.goto('/');
  const numbers = page.getByRole('region', { name: 'Numbers' });
  await numbers.getByRole('link', { name: /in error/ }).click();
  await expect(page).toHaveURL(/\/studio\/bindings\?state=error/);
  await expect(page.getByRole('region', { name: 'Bindings' }).locator('tbody tr')).toHaveCount(1);
  await page.goBack();
  await numbers.getByRole('link', { name: /Dead letters/ }).click();
  await expect(page).toHaveURL(/\/studio\/dead-letters/);
  await page.goBack();
  await expect(page.getByRole('region', { name: /Newest images/ }).getByRole('listitem')).toHaveCount(2);
});

test('a state that is held still stays, and goes on', async ({ page, daemon }) => {
  await page.goto('/');
  await expect(page.getByRole('region', { name: /Newest images/ }).getByRole('listitem')).toHaveCount(2);
  await page.getByTitle('Hold what is shown still').filter({ visible: true }).click();
  daemon.write('things.csv', 'sku,name,price\nS-1,Kettle,20\nS-2,Mug,9\nS-3,Lamp,30\n');
  await expect.poll(async () => (await daemon.ask<{ binding: { ready: number } }>('/bindings/cards')).binding.ready).toBe(3);
  await expect(page.getByRole('region', { name: /Newest images/ }).getByRole('listitem')).toHaveCount(2);
  await page.getByTitle('Show what comes again').filter({ visible: true }).click();
  await expect(page.getByRole('region', { name: /Newest images/ }).getByRole('listitem')).toHaveCount(3);
});
