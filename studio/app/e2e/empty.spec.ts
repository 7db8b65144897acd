import { expect, test } from './daemon.ts';

test('an empty daemon shows the one command to begin', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'One command to begin' })).toBeVisible();
  await expect(page.getByText('make demo')).toBeVisible();
});
