import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from './daemon.ts';

test.use({ world: { templates: ['examples/quickstart/templates'] } });

interface Versions {
  versions: { version: number }[];
}

test('a card shows how a template looks, and what lint says', async ({ page }) => {
  await page.goto('/studio/templates');
  const card = page.getByRole('article').filter({ hasText: 'product-card' });
  await expect(card.getByText('1200 × 630')).toBeVisible();
  await expect(card.getByText(/good|hint/)).toBeVisible();
  const picture = card.locator('img');
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth)).toBeGreaterThan(100);
  await expect(card.getByRole('link', { name: 'Edit' })).toHaveAttribute('href', '/studio/templates/product-card/edit');
});

test('a template is made from a starter and from nothing, copied, exported and deleted', async ({ page, daemon }) => {
  await page.goto('/studio/templates');
  await page.getByRole('button', { name: 'New template' }).click();
  await page.getByRole('radio', { name: /Quote/ }).check();
  await expect(page.getByLabel('Name').last()).toHaveValue('quote');
  await page.getByRole('button', { name: 'Make and edit' }).click();
  await expect(page).toHaveURL(/\/studio\/templates\/quote\/edit$/);

  await page.goto('/studio/templates');
  await page.getByRole('button', { name: 'New template' }).click();
  await page.getByLabel('Name').last().fill('from-nothing');
  await page.getByRole('button', { name: 'Make and edit' }).click();
  await expect(page).toHaveURL(/\/studio\/templates\/from-nothing\/edit$/);
  expect((await daemon.ask<{ draft: { problems: { fatal: boolean }[] } }>('/templates/from-nothing/draft')).draft.problems.filter((p) => p.fatal)).toEqual([]);

  await page.goto('/studio/templates/quote');
  await page.getByRole('button', { name: 'Duplicate' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Name of the new template')).toHaveValue('quote-copy');
  await dialog.getByRole('button', { name: 'Duplicate' }).click();
  await expect(page).toHaveURL(/\/studio\/templates\/quote-copy$/);
  await expect(page.getByRole('heading', { level: 1, name: 'quote-copy' })).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export' }).first().click();
  expect((await download).suggestedFilename()).toBe('quote-copy.zip');

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/studio\/templates$/);
  await expect(page.getByRole('article').filter({ hasText: 'quote' })).toHaveCount(1);
});

test('two versions differ in source and picture, and an older one comes back as the draft', async ({ page, daemon }) => {
  const file = join(daemon.folder, 'templates/product-card.html');
  const html = readFileSync(file, 'utf8');
  const versions = () => daemon.ask<Versions>('/templates/product-card/versions').then((v) => v.versions.length);
  const before = await versions(); // files that others brought are a version too
  daemon.write('templates/product-card.html', html.replace('</body>', '<!-- a second version --></body>').replace(/font-weight: 700/, 'font-weight: 400'));
  await expect.poll(versions).toBe(before + 1);
  await page.goto('/studio/templates/product-card');
  await expect(page.getByRole('region', { name: 'Source' }).getByText('a second version')).toBeVisible();
  const both = page.getByRole('region', { name: 'Pictures' }).locator('.both img');
  await expect(both).toHaveCount(2);
  for (const img of await both.all()) await expect.poll(() => img.evaluate((i: HTMLImageElement) => i.complete && i.naturalWidth), { timeout: 30_000 }).toBeGreaterThan(100);
  await page.getByRole('button', { name: 'Difference' }).click();
  await expect(both.last()).toHaveCSS('mix-blend-mode', 'difference');
  await page.getByRole('radio', { name: 'Before: version 1', exact: true }).check();
  await page.getByRole('radio', { name: 'After: version 1', exact: true }).check();
  await expect(page).toHaveURL(/to=1/);
  await expect(page.getByText('Version 1 and version 1 are the same.')).toBeVisible();

  await page.getByRole('row').filter({ has: page.getByRole('radio', { name: 'After: version 1', exact: true }) }).getByRole('button', { name: 'Bring back' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Bring back' }).click();
  await expect(page).toHaveURL(/\/product-card\/edit$/);
  expect((await daemon.ask<{ draft: { html: string } }>('/templates/product-card/draft')).draft.html).not.toContain('a second version');
});
