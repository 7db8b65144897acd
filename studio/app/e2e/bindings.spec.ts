import { expect, test } from './daemon.ts';

const rows = (names: string[]) => `sku,name,price\n${names.map((name, i) => `S-${i},${name},${10 + i}`).join('\n')}\n`;

test.use({
  world: {
    templates: ['examples/quickstart/templates'],
    files: { 'good.csv': rows(['Kettle', 'Mug', 'Lamp']), 'bad.csv': 'sku,name,price\nB-1,Chair,cheap\nB-2,Table,20\n' },
    config: `sources:
  good: { kind: file, path: good.csv, key: sku, every: 1s }
  bad: { kind: file, path: bad.csv, key: sku, every: 1s }
  lost: { kind: file, path: nowhere/*.csv, key: sku, every: 1s }
bindings:
  - { name: cards, source: good, template: product-card, map: { title: name, sale: "false" } }
  - { name: bad-cards, source: bad, template: product-card, map: { title: name, sale: "false" } }
  - { name: lost-cards, source: lost, template: product-card, map: { title: name, sale: "false" } }
`,
  },
});

test('bindings are listed with the worst first, its cause beside it', async ({ page }) => {
  await page.goto('/studio/bindings');
  const table = page.getByRole('region', { name: 'Bindings' });
  await expect(table.locator('tbody tr')).toHaveCount(3);
  const lost = table.getByRole('row').filter({ hasText: 'lost-cards' });
  await expect(lost).toContainText('is not there');
  await expect(table.getByRole('row').filter({ hasText: 'bad-cards' })).toContainText('1 image could not be made');
  await expect(table.getByRole('row').filter({ has: page.getByRole('link', { name: 'cards', exact: true }) })).toContainText('3 of 3');
});

test('filters stand in the address, and go back with it', async ({ page }) => {
  await page.goto('/studio/bindings');
  await page.getByLabel('Source').selectOption('bad');
  await expect(page).toHaveURL(/source=bad/);
  await expect(page.getByRole('region', { name: 'Bindings' }).locator('tbody tr')).toHaveCount(1);
  await page.reload();
  await expect(page.getByRole('region', { name: 'Bindings' }).locator('tbody tr')).toHaveCount(1);
  await page.getByLabel('Find').fill('nothing like it');
  await expect(page.getByText('None of 3 bindings meets these filters.')).toBeVisible();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(page.getByRole('region', { name: 'Bindings' }).locator('tbody tr')).toHaveCount(3);
});

test('a binding is paused and goes on, also by the keyboard', async ({ page, daemon }) => {
  const state = async () => (await daemon.ask<{ binding: { state: string } }>('/bindings/cards')).binding.state;
  await page.goto('/studio/bindings?q=good');
  const pause = page.getByRole('button', { name: 'Pause', exact: true });
  await pause.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Bindings' })).toContainText('a person has paused it');
  expect(await state()).toBe('paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('region', { name: 'Bindings' })).not.toContainText('a person has paused it');
  expect(await state()).not.toBe('paused');
});
