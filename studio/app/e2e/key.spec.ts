import { card, Editing } from './editor.ts';
import { expect, test } from './daemon.ts';

const key = 'a-key-of-the-test-0123456789abcdef';

test.use({ world: { keys: `- { name: all, key: ${key} }`, files: { 'templates/card.html': card } } });

test('a key that has ended is asked for, and the work goes on', async ({ page, daemon }) => {
  await page.goto('/');
  await page.getByLabel('Key').fill(key);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'Overview' })).toBeVisible();
  await page.goto('/studio/templates/card/edit');
  const e = new Editing(page, daemon, 'card');
  await expect(e.layer('red')).toBeVisible();
  await page.context().clearCookies();
  await e.drag([160, 140], [260, 190], ['Control']);
  const dialog = page.getByRole('dialog', { name: 'Your key has ended' });
  await expect(dialog).toBeVisible();
  await expect(page.locator('.editor-saved')).toContainText('the key has ended');
  await dialog.getByLabel('Key').fill(key);
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await e.saved();
  const { draft } = await daemon.ask<{ draft: { html: string } }>('/templates/card/draft', { headers: { Authorization: `Bearer ${key}` } });
  expect(draft.html).toContain('left: 200px; top: 150px');
});
