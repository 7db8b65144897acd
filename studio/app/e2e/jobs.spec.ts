import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { type Daemon, expect, test } from './daemon.ts';

test.use({ world: { templates: ['examples/campaign/templates'] } });

const [head, ...lines] = readFileSync(resolve(import.meta.dirname, '../../../examples/campaign/customers.csv'), 'utf8').trim().split('\n') as [string, ...string[]];

interface Standing {
  jobId: string;
  status: string;
  completedItems: number;
  failedItems: number;
}

const send = (daemon: Daemon, csv: string, query = '') =>
  daemon.ask<Standing>(`/templates/announcement/batch-render?format=jpeg&${query}`, { method: 'POST', body: csv, headers: { 'Content-Type': 'text/csv' } }).then((j) => j.jobId);

/** same is so many rows that show the same picture: some of them can't be drawn. */
const same = (rows: number, bad: (i: number) => boolean) =>
  [`n,${head}`, ...Array.from({ length: rows }, (_, i) => `${i},${bad(i) ? lines[0]!.replace(/,3,/, ',seven,') : lines[0]}`)].join('\n');

/** apart is so many rows of which each has a picture of its own. */
const apart = (rows: number) => [`n,${head}`, ...Array.from({ length: rows }, (_, i) => `${i},${lines[0]!.replace('Ada', `Ada ${i}`)}`)].join('\n');

const standing = (daemon: Daemon, job: string) => daemon.ask<Standing>(`/jobs/${job}`);

test('nobody sent a job: the page shows the one command', async ({ page }) => {
  await page.goto('/studio/jobs');
  await expect(page.getByRole('heading', { name: 'There is no job yet' })).toBeVisible();
  await expect(page.getByText('batch-render')).toBeVisible();
});

test('a job is seen to run, to pause, to go on and to end, without a reload', async ({ page, daemon }) => {
  const job = await send(daemon, [head, ...lines].join('\n'), 'rowKey=email');
  await page.goto('/studio/jobs');
  const row = page.getByRole('row').filter({ hasText: job });
  await row.getByRole('button', { name: 'Pause' }).click();
  await expect(row.getByText('Paused')).toBeVisible();
  await row.getByRole('link', { name: job }).click();
  await expect(page.getByText('Nothing is drawn while it is paused')).toBeVisible();
  expect((await standing(daemon, job)).status).toBe('paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('region', { name: 'Progress' }).getByText('Complete')).toBeVisible({ timeout: 60_000 });
  const table = page.getByRole('region', { name: 'Rows' }).last();
  await expect(table.getByRole('row')).toHaveCount(lines.length + 1);
  await expect(page.getByRole('region', { name: 'Progress' }).getByText(`${lines.length} rows`)).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'ZIP' }).click();
  expect((await download).suggestedFilename()).toMatch(/\.zip$/);
  await expect(page.getByRole('link', { name: 'PDF', exact: true })).toHaveCount(0); // it made none
});

test('a job is cancelled only when a person says so', async ({ page, daemon }) => {
  const job = await send(daemon, apart(3000), 'rowKey=n'); // more than are drawn until somebody clicks
  await page.goto(`/studio/jobs/${job}`);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog').getByText(/\d+ rows? will not be drawn/)).toBeVisible();
  expect((await standing(daemon, job)).status).not.toBe('cancelled');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).last().click();
  await expect(page.getByRole('region', { name: 'Progress' }).getByText('Cancelled')).toBeVisible();
  expect((await standing(daemon, job)).status).toBe('cancelled');
});

test('10,000 rows: the table stays light, failed ones are found with their cause, and tried again', async ({ page, daemon }) => {
  test.setTimeout(240_000);
  const job = await send(daemon, same(10_000, (i) => i % 5000 === 7), 'rowKey=n');
  await expect.poll(() => standing(daemon, job).then((j) => j.status), { timeout: 180_000 }).toBe('partial');
  await page.goto(`/studio/jobs/${job}`);
  await expect(page.getByText('10,000 rows, 2 failed')).toBeVisible();
  const table = page.getByRole('region', { name: 'Rows' }).last();
  await expect(table.getByRole('row').nth(1)).toBeVisible();
  let most = 0;
  await expect.poll(async () => {
    await table.evaluate((el) => el.scrollTo(0, el.scrollHeight));
    most = Math.max(most, await table.evaluate((el) => el.querySelectorAll('*').length));
    return table.locator('tr[aria-rowindex="10001"]').count();
  }, { timeout: 90_000, intervals: [50] }).toBe(1);
  expect(most).toBeLessThan(5000);

  await page.getByLabel('State').selectOption('failed');
  await expect(page).toHaveURL(/status=failed/);
  await expect(table.getByRole('row')).toHaveCount(3);
  await expect(table.getByText('wrong_type').first()).toBeVisible();
  await page.reload();
  await expect(table.getByRole('row')).toHaveCount(3);
  await table.getByRole('button', { name: '5007' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('another try gives the same')).toBeVisible();
  await expect(dialog.getByRole('definition').filter({ hasText: 'seven' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  await page.getByRole('button', { name: 'Retry failed (2)' }).click();
  await expect.poll(() => standing(daemon, job).then((j) => [j.status, j.completedItems, j.failedItems])).toEqual(['partial', 9998, 2]);
  await expect(table.getByRole('row')).toHaveCount(3);
});
