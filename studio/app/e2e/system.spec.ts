import { AxeBuilder } from '@axe-core/playwright';

import { expect, test } from './daemon.ts';

test.use({ world: {} });

test('one process is one line', async ({ page }) => {
  await page.goto('/studio/system');
  await expect(page.getByText(/^pid \d+ on .+, the only one on this ledger$/)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Chrome' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Processes' })).toHaveCount(0);
});

test('many processes are a table, in which one that is late has a cause and a next step', async ({ page }) => {
  await page.route('**/system', async (route) => { // of the API: what a daemon beside others would say
    if (route.request().resourceType() === 'document') return route.continue();
    const answer = await route.fetch();
    const is = (await answer.json()) as { processes: object[]; at: string };
    const [own] = is.processes;
    is.processes.push(
      { ...own, place: 'pid 9 on b', state: 'late', cause: 'it gives no sign of life', next: 'see its machine', roles: ['render'], version: '9.9', holder: false, inHand: { turns: 2, renders: 120, deliveries: 0 } },
      { ...own, place: 'pid 5 on c', state: 'gone', cause: 'it ended without leaving', next: 'start it again', roles: ['deliver'], holder: false, heardAt: null, goneAt: is.at },
    );
    return route.fulfill({ response: answer, json: is });
  });
  await page.goto('/studio/system');
  const table = page.getByRole('region', { name: 'Processes' }).getByRole('table');
  const late = table.getByRole('row').filter({ hasText: 'pid 9 on b' });
  for (const words of ['No sign of life', 'it gives no sign of life', 'see its machine', 'render', '120 pictures', '9.9']) await expect(late).toContainText(words);
  await expect(late.getByRole('link', { name: '120 pictures' })).toHaveAttribute('href', '/studio/jobs');
  await expect(table.getByRole('row').filter({ hasText: 'holds it' })).toHaveCount(1);
  await expect(table.getByRole('row').filter({ hasText: 'pid 5 on c' })).toContainText('put out');
  await expect(page.getByText(/2 processes at work on this ledger; pid \d+ on .+ holds it/)).toBeVisible();
  await expect(page.getByText('the only one on this ledger')).toHaveCount(0);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

test('a key is made, shown once, and revoked', async ({ page, daemon }) => {
  await page.goto('/studio/system');
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('ci');
  await expect(dialog.getByRole('button', { name: /Make a key/ })).toBeDisabled();
  await dialog.getByLabel('renders:write').check();
  await dialog.getByRole('button', { name: 'Make a key with 1 scope' }).click();
  const key = (await dialog.locator('pre').textContent()) ?? '';
  expect(key.length).toBeGreaterThan(20);
  const headers = { Authorization: `Bearer ${key}` };
  expect((await fetch(`${daemon.url}/keys`, { headers })).status).toBe(403);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('region', { name: 'API keys' }).getByRole('row').filter({ hasText: 'ci' });
  await expect(row).toContainText('renders:write');
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('region', { name: 'API keys' }).getByRole('row').filter({ hasText: 'renders:write' })).toHaveCount(0);
  expect((await fetch(`${daemon.url}/keys`, { headers })).status).toBe(401);
});

test('what is sent works where the page came by plain HTTP from another machine', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined }); // as browsers have it there
  });
  await page.goto('/studio/system');
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('plain');
  await dialog.getByLabel('renders:write').check();
  await dialog.getByRole('button', { name: 'Make a key with 1 scope' }).click();
  await expect(dialog.locator('pre')).toHaveText(/.{20,}/);
});
