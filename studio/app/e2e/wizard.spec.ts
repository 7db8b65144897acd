import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, test } from './daemon.ts';

test.use({ world: { templates: ['examples/campaign/templates'] } });

const customers = readFileSync(resolve(import.meta.dirname, '../../../examples/campaign/customers.csv'), 'utf8').trim().split('\n');

test('from a CSV to a ZIP: columns are found and chosen, a bad row is shown with its place, pictures are made', async ({ page }) => {
  test.setTimeout(240_000);
  const rows = customers.slice(0, 5).map((line, i) => (i === 0 ? line.replace('first_name', 'vorname') : i === 2 ? line.replace(/,7,/, ',seven,') : line)).join('\n');
  await page.goto('/studio/batch?template=announcement');
  await page.locator('input[type=file]').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from(rows) });
  await expect(page.getByText('4 rows with 10 columns, CSV.')).toBeVisible();
  await expect(page.getByLabel('Column for last_name').or(page.getByLabel('Column for plan')).first()).not.toHaveValue('');
  await expect(page.getByText(/required variable.* without a column: first_name/)).toBeVisible();
  await page.getByLabel('Column for first_name').selectOption('vorname');
  await expect(page.getByText(/without a column/)).toHaveCount(0);
  await page.getByLabel('Name rows by').selectOption('email');
  await page.getByLabel('Format').selectOption('jpeg');

  await page.getByRole('button', { name: 'Check all rows' }).click();
  await expect(page.getByText('3 of 4 rows are good, 1 are not')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('region', { name: 'Bad rows' }).getByRole('row').last()).toContainText('grace.hopper@mail.example');
  await expect(page.getByRole('img', { name: /as it is drawn/ }).first()).toBeVisible();

  await page.getByRole('button', { name: 'Run anyway: 3 of 4 rows' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run anyway: 3 of 4 rows' }).click();
  await expect(page.getByText('Partly failed')).toBeVisible({ timeout: 60_000 });
  await expect(page).toHaveURL(/job=batch_/);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the ZIP' }).click();
  expect((await download).suggestedFilename()).toMatch(/\.zip$/);
});
