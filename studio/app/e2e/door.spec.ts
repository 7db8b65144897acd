import { expect, test } from './daemon.ts';

const key = 'a-key-that-nobody-guesses-0123456789';

test.use({ world: { keys: `- { name: desk, key: ${key} }` } });

test('whoever gives a key at the door comes to the page that was asked for', async ({ page }) => {
  await page.goto('/studio/bindings?state=error');
  await page.getByLabel('Key').fill('a-wrong-key-0123456789-0123456789');
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page.getByRole('alert')).toContainText('not known here');
  await page.getByLabel('Key').fill(key);
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page).toHaveURL(/\/studio\/bindings\?state=error$/);
  await expect(page.getByRole('heading', { name: 'Bindings', level: 1 })).toBeVisible();
});
