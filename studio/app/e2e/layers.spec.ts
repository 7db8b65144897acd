import { AxeBuilder } from '@axe-core/playwright';

import { card, Editing } from './editor.ts';
import { expect, test } from './daemon.ts';

test('the tree of layers is used by keys: choose, rename, move, lock and hide', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'tree', card);
  const item = (name: RegExp) => page.getByRole('treeitem', { name });
  await item(/^title/).locator('.name').click();
  await e.press('ArrowDown');
  await expect(item(/^blue/)).toBeFocused();
  await expect(item(/^blue/)).toHaveAttribute('aria-selected', 'true');
  await e.press('F2');
  await page.getByLabel('Name of blue').fill('Sky');
  await e.press('Enter');
  await expect(item(/^Sky/)).toBeVisible();
  await expect.poll(() => e.source()).toContain('p-name="Sky"');
  await e.press('Alt+ArrowUp');
  await expect.poll(async () => (await e.source()).indexOf('id="blue"') > (await e.source()).indexOf('id="title"')).toBe(true);
  await e.press('Control+l');
  await expect(item(/^Sky, shape, locked/)).toBeVisible();
  await e.press('Control+l');
  await expect(item(/^Sky, shape$/)).toBeVisible();
  await e.press('Control+Shift+h');
  await expect(item(/^Sky, shape, hidden/)).toBeVisible();
  await expect(e.layer('blue')).toBeHidden();
  await page.getByLabel('Find a layer').fill('titl');
  await expect(page.getByRole('treeitem')).toHaveCount(1);
});

test('a layer is dragged to another place in the tree, and into a group', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'treedrag', card);
  const row = (name: string) => page.locator(`#layer-${name} > .layer`);
  await row('red').dragTo(row('title'), { targetPosition: { x: 40, y: 2 } });
  await expect.poll(async () => (await e.source()).indexOf('id="red"') > (await e.source()).indexOf('id="title"')).toBe(true);
  await row('blue').click();
  await page.getByLabel('Canvas', { exact: true }).focus();
  await e.press('Control+g');
  await expect(row('group')).toBeVisible();
  await row('red').dragTo(row('group'), { targetPosition: { x: 40, y: 15 } });
  await expect.poll(() => e.source()).toMatch(/id="group"[\s\S]*id="blue"[\s\S]*id="red"[\s\S]*<\/div>/);
  await expect(page.locator('#layer-group ul #layer-red')).toBeVisible();
});

test('every kind of layer can be inserted, and all of it can be undone', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'inserting', card);
  const names = ['Text', 'Image', 'Rectangle', 'Ellipse', 'Line', 'Stack', 'QR code', 'Barcode', 'Chart', 'Table', 'Rating', 'Countdown'];
  for (const [i, name] of names.entries()) {
    await page.getByRole('button', { name: 'Insert a layer' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    await expect(page.getByRole('treeitem')).toHaveCount(4 + i);
    await e.saved();
  }
  await expect(page.locator('.editor-badge')).toHaveCount(0);
  for (let i = 0; i < names.length; i++) {
    await e.press('Control+z');
    await expect(page.getByRole('treeitem')).toHaveCount(3 + names.length - 1 - i);
  }
  expect(await e.source()).toBe(card);
});

test('a picture that is dropped on the canvas becomes an asset and a layer', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'dropping', card);
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer(), svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="#0a0"/></svg>';
    transfer.items.add(new File([svg], 'My leaf.svg', { type: 'image/svg+xml' }));
    return transfer;
  });
  const at = await e.at(200, 300);
  await page.dispatchEvent('.editor-canvas', 'drop', { dataTransfer: data, clientX: at.x, clientY: at.y });
  await expect.poll(() => e.source()).toContain('src="assets/my-leaf.svg"');
  await expect(e.layer('image')).toHaveJSProperty('complete', true);
  await expect.poll(() => e.layer('image').evaluate((el: HTMLImageElement) => el.naturalWidth)).toBeGreaterThan(0);
  await e.press('Control+z');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  const { assets } = await daemon.ask<{ assets: unknown[] }>('/templates/dropping/draft/assets');
  expect(assets).toEqual([]);
});

test('axe finds nothing serious in the editor, light and dark, with a layer chosen and a menu open', async ({ page, daemon }) => {
  test.slow();
  const e = await Editing.open(page, daemon, 'axe', card);
  await e.click(160, 140);
  await page.getByRole('button', { name: 'All sizes' }).click();
  for (const theme of ['light', 'dark']) {
    await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().exclude('iframe').analyze();
    expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => [v.id, v.nodes.map((n) => n.html)])).toEqual([]);
  }
  await page.getByRole('button', { name: 'Arrange the selected layers' }).click();
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('[role=menu]').analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([]);
});
