import { card, Editing } from './editor.ts';
import { expect, test } from './daemon.ts';

test('a drag moves a layer by one operation, and undo leads to the first byte', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'drag', card);
  await e.drag([160, 140], [260, 190], ['Control']);
  await expect.poll(() => e.style('red')).toContain('left: 200px; top: 150px');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  await e.press('Control+Shift+z');
  await expect.poll(() => e.style('red')).toContain('left: 200px; top: 150px');
  await expect(e.layer('red')).toHaveCSS('left', '200px');
});

test('Shift keeps a drag on one axis, and Escape takes it back', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'axis', card);
  await e.drag([160, 140], [250, 160], ['Shift', 'Control']);
  await expect.poll(() => e.style('red')).toContain('left: 190px; top: 100px');
  const a = await e.at(250, 140), b = await e.at(300, 200);
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(b.x, b.y, { steps: 3 });
  await expect(e.layer('red')).not.toHaveCSS('left', '190px');
  await e.press('Escape');
  await expect(e.layer('red')).toHaveCSS('left', '190px');
  await page.mouse.up();
  expect(await e.style('red')).toContain('left: 190px; top: 100px');
});

test('a drag snaps to another layer, and shows the line', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'snap', card);
  const a = await e.at(160, 140), b = await e.at(163, 264); // its bottom comes near that of the blue one
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(a.x, a.y + 20);
  await page.mouse.move(a.x, (b.y - a.y) * 0.992 + a.y);
  await expect(page.locator('.editor-guide').first()).toBeAttached();
  await page.mouse.up();
  await expect(page.locator('.editor-guide')).toHaveCount(0);
  await expect.poll(() => e.style('red')).toMatch(/top: (220|240)px/); // an edge or the middle
});

test('a handle resizes; Shift keeps the proportions, Alt the middle', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'resize', card);
  await e.click(160, 140);
  await e.grip('se', [60, 30], ['Control']);
  await expect.poll(() => e.style('red')).toContain('left: 100px; top: 100px; width: 180px; height: 110px');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  await e.grip('se', [60, 0], ['Control', 'Shift']);
  await expect.poll(() => e.style('red')).toContain('width: 180px; height: 120px');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  await e.grip('e', [20, 0], ['Control', 'Alt']);
  await expect.poll(() => e.style('red')).toContain('left: 80px; top: 100px; width: 160px; height: 80px');
});

test('the round handle rotates, with Shift in steps of 15°', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'rotate', card);
  await e.click(450, 270);
  await e.grip('rotate', [70, 40], ['Shift']);
  await expect.poll(() => e.style('blue')).toMatch(/rotate: (45|60)deg/);
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  await e.press('Alt+Period');
  await e.press('Alt+Shift+Period');
  await expect.poll(() => e.style('blue')).toContain('rotate: 16deg');
});

test('Alt while dragging leaves the layer and drags a copy away', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'copies', card);
  await e.drag([450, 270], [560, 270], ['Alt', 'Control']);
  await expect.poll(() => e.style('blue-2')).toContain('left: 510px; top: 220px');
  expect(await e.style('blue')).toContain('left: 400px; top: 220px');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
});

test('a marquee selects what it meets, and they move, align and group together', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'many', card);
  await e.drag([60, 60], [520, 340]);
  await expect(page.getByRole('treeitem', { selected: true })).toHaveCount(3);
  await e.click(450, 60, ['Shift']); // the title again: one less
  await expect(page.getByRole('treeitem', { selected: true })).toHaveCount(2);
  await page.getByRole('button', { name: 'Align and distribute' }).click();
  await page.getByRole('menuitem', { name: 'Align top' }).click();
  await expect.poll(() => e.style('blue')).toContain('top: 100px');
  await page.getByLabel('Canvas', { exact: true }).focus();
  await e.press('Control+g');
  await expect.poll(() => e.source()).toContain('id="group"');
  await expect(page.getByRole('treeitem', { name: /^group, group/ })).toHaveAttribute('aria-selected', 'true');
  await e.press('ArrowRight');
  await e.saved();
  await e.press('Control+Shift+g');
  await expect.poll(() => e.source()).not.toContain('id="group"');
  for (let i = 0; i < 4; i++) await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
});

test('every move has a key: arrows, sizes, order, copies, all, delete', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'keys', card);
  await page.getByLabel('Canvas', { exact: true }).focus();
  await e.press('Enter'); // the first layer
  await expect(page.getByRole('treeitem', { name: /^red/ })).toHaveAttribute('aria-selected', 'true');
  await e.press('ArrowRight');
  await e.press('Shift+ArrowDown');
  await expect.poll(() => e.style('red')).toContain('left: 101px; top: 110px');
  await e.press('Control+Shift+ArrowRight');
  await expect.poll(() => e.style('red')).toContain('width: 130px');
  await e.press(']');
  await expect.poll(async () => (await e.source()).indexOf('id="red"') > (await e.source()).indexOf('id="blue"')).toBe(true);
  await e.press('Control+d');
  await expect.poll(() => e.source()).toContain('id="red-2"');
  await e.press('Tab');
  await e.press('Control+a');
  await expect(page.getByRole('treeitem', { selected: true })).toHaveCount(4);
  await e.press('Delete');
  await expect(page.getByRole('treeitem')).toHaveCount(0);
  await e.press('Control+z');
  await expect(page.getByRole('treeitem')).toHaveCount(4);
  while (await page.getByRole('button', { name: 'Undo' }).isEnabled()) {
    await e.press('Control+z');
    await e.saved();
  }
  expect(await e.source()).toBe(card);
});

test('what was copied is pasted as another layer', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'paste', card);
  await e.click(160, 140);
  await e.press('Control+c');
  await e.press('Control+v');
  await expect.poll(() => e.source()).toContain('id="red-2"');
  await e.press('Control+x');
  await expect.poll(() => e.source()).toBe(card);
});

test('a text is written in where it stands: its expression, not the row; Escape leaves it as it was', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'writing', card);
  await expect(e.layer('title')).toHaveText('Hello');
  const p = await e.at(360, 60);
  await page.mouse.dblclick(p.x, p.y);
  await expect(e.layer('title')).toHaveText('{{ title }}');
  await page.keyboard.type('Say ');
  await e.press('Escape');
  await expect(e.layer('title')).toHaveText('Hello');
  expect(await e.source()).toBe(card);
  await e.press('Enter');
  await e.press('End');
  await page.keyboard.type('!');
  await e.click(700, 380);
  await expect.poll(() => e.source()).toContain('>{{ title }}!</h1>');
  await expect(e.layer('title')).toHaveText('Hello!');
});

test('another size keeps what is done there to itself, and can be reset', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'sizes', card);
  await page.getByLabel('Size', { exact: true }).selectOption('story');
  await expect(page.locator('.editor-sheet iframe')).toHaveJSProperty('clientWidth', 400);
  await e.drag([160, 140], [180, 340], ['Control']);
  await expect.poll(() => e.source()).toContain('#red { left: 120px; top: 300px; }');
  expect(await e.style('red')).toContain('left: 100px; top: 100px');
  await page.getByRole('button', { name: 'All sizes' }).click();
  await expect(page.getByText('1 override')).toBeVisible();
  await page.getByRole('button', { name: 'Reset red' }).click();
  await expect.poll(() => e.source()).not.toContain('#red {');
  await expect(e.layer('red')).toHaveCSS('left', '100px');
});
