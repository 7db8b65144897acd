import { expect, test } from './daemon.ts';

test.use({ world: {} });

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
