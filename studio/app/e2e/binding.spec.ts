import { expect, test } from './daemon.ts';

const table = (n: number, price = (i: number) => 10 + i) => `sku,name,price\n${Array.from({ length: n }, (_, i) => `S-${String(i).padStart(3, '0')},Thing ${i},${price(i)}`).join('\n')}\n`;

test.use({
  world: {
    templates: ['examples/quickstart/templates'],
    files: { 'things.csv': table(40), 'bad.csv': 'sku,name,price\nB-1,Chair,cheap\nB-2,Table,20\n' },
    config: `sources:
  things: { kind: file, path: things.csv, key: sku, every: 1s }
  bad: { kind: file, path: bad.csv, key: sku, every: 1s }
bindings:
  - { name: cards, source: things, template: product-card, map: { title: name, sale: "false" }, guard: { max_changed: 50%, floor: 20 } }
  - { name: bad-cards, source: bad, template: product-card, map: { title: name, sale: "false" } }
`,
  },
});

test('the way of a row says where it stops, and what to do', async ({ page }) => {
  await page.goto('/studio/bindings/bad-cards');
  const way = page.getByRole('list', { name: 'The way of a row' });
  await expect(way.getByRole('listitem')).toHaveCount(5);
  await expect(way.getByRole('listitem').filter({ hasText: 'Render' })).toContainText('1 image could not be made');
  await expect(page.getByRole('region', { name: 'Rows as they came last', exact: true }).last()).toContainText('Chair');
  await way.getByRole('link', { name: 'See the errors of its rows, and mend them at the source or in the template' }).click();
  await expect(page.getByRole('region', { name: 'Rows that failed' })).toContainText('B-1');
});

test('the rows of a binding, and all about one of them', async ({ page }) => {
  await page.goto('/studio/bindings/cards');
  await page.getByRole('tab', { name: /Rows/ }).click();
  await expect(page).toHaveURL(/\/bindings\/cards\/rows$/);
  await page.getByRole('button', { name: 'S-007' }).click();
  const sheet = page.getByRole('dialog', { name: 'S-007' });
  await expect(sheet).toContainText('Thing 7');
  await expect(sheet.getByRole('img', { name: 'The image png' })).toBeVisible();
  await expect(page).toHaveURL(/row=S-007/);
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
});

test('a row is deleted for good, and recalled', async ({ page, daemon }) => {
  await page.goto('/studio/bindings/cards/rows?row=S-003');
  const sheet = page.getByRole('dialog', { name: 'S-003' });
  await sheet.getByRole('button', { name: 'Delete and forget' }).click();
  await page.getByRole('dialog', { name: 'Delete and forget S-003?' }).getByRole('button', { name: 'Delete and forget' }).click();
  await expect(page.getByRole('dialog').getByRole('button', { name: 'Recall' })).toBeVisible();
  await page.getByRole('dialog').getByRole('button', { name: 'Recall' }).click();
  await expect.poll(async () => (await daemon.ask<{ rows: { key: string }[] }>('/bindings/cards/rows')).rows.some((r) => r.key === 'S-003')).toBe(true);
});

test('rows that failed say why and which variable', async ({ page }) => {
  await page.goto('/studio/bindings/bad-cards/rows?show=failed');
  const row = page.getByRole('region', { name: 'Rows that failed' }).getByRole('row').filter({ hasText: 'B-1' });
  await expect(row).toContainText('price');
  await page.getByRole('tab', { name: 'Preview' }).click();
  await page.getByLabel('Key of a row').fill('B-1');
  await page.getByRole('button', { name: 'Preview', exact: true }).click();
  await expect(page.getByText('It could not be drawn')).toBeVisible();
  await page.getByLabel('Or a row, as JSON').fill('{"sku": "B-1", "name": "Stool", "price": 3}');
  await page.getByRole('button', { name: 'Preview', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Variables of' })).toContainText('Stool');
});

test('what the guard holds is looked at and accepted', async ({ page, daemon }) => {
  await expect.poll(async () => (await daemon.ask<{ binding: { ready: number } }>('/bindings/cards')).binding.ready, { timeout: 60_000 }).toBeGreaterThanOrEqual(39);
  daemon.write('things.csv', table(40, (i) => 500 + i));
  await page.goto('/studio/bindings/cards/guard');
  await expect(page.getByText(/changes held/)).toBeVisible();
  const held = page.getByRole('region', { name: 'Rows that are held' });
  await expect(held).toContainText('Another picture');
  await held.getByRole('button', { name: 'S-001' }).click();
  await expect(page.getByRole('dialog', { name: 'S-001' })).toContainText('501');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await expect(page.getByText('Nothing is held')).toBeVisible();
});

test('parts of a binding are reached by the arrow keys', async ({ page }) => {
  await page.goto('/studio/bindings/cards');
  await page.getByRole('tab', { name: 'Pipeline' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('tab', { name: 'Changes' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/cards\/changes$/);
});
