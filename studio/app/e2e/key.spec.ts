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
  const a = await e.at(160, 140), b = await e.at(260, 190);
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.keyboard.down('Control');
  await page.mouse.move(b.x, b.y, { steps: 3 });
  await expect(e.layer('red')).toHaveCSS('left', '200px');
  await page.context().clearCookies(); // in the middle of a gesture
  await page.mouse.up();
  await page.keyboard.up('Control');
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
