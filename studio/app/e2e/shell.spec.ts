import { expect, test } from './daemon.ts';

test('the first page opens, and asks no other host for anything', async ({ page, daemon }) => {
  const hosts = new Set<string>();
  page.on('request', (r) => hosts.add(new URL(r.url()).host));
  const blocked: string[] = [];
  page.on('console', (m) => m.type() === 'error' && blocked.push(m.text()));
  await page.goto('/');
  await expect(page.getByRole('status').getByText('Live').first()).toBeVisible();
  await page.getByRole('link', { name: 'Overview' }).click();
  expect([...hosts]).toEqual([new URL(daemon.url).host]);
  expect(blocked).toEqual([]);
});

test('a page that there is not says so, and a reload stays where it is', async ({ page }) => {
  await page.goto('/studio/nowhere');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await page.reload();
  await expect(page).toHaveURL(/\/studio\/nowhere$/);
});
