import { card, Editing } from './editor.ts';
import { type Daemon, expect, test } from './daemon.ts';

/** change is what somebody else does, over the API. */
async function change(daemon: Daemon, name: string, ops: unknown[]): Promise<void> {
  const { draft } = await daemon.ask<{ draft: { revision: number } }>(`/templates/${name}/draft`);
  await daemon.ask(`/templates/${name}/draft`, { method: 'PATCH', json: { ops, author: 'Grace' }, headers: { 'If-Match': `"${draft.revision}"` } });
}

test('two people who change different layers at once both keep what they did', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'both', card);
  const a = await e.at(160, 140), b = await e.at(200, 180);
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(b.x, b.y, { steps: 4 });
  await change(daemon, 'both', [{ op: 'set_style', id: 'blue', property: 'background', value: '#00aa00' }]);
  await page.mouse.up();
  await expect(page.getByText('Put on top of what Grace did meanwhile.')).toBeVisible();
  const source = await e.source();
  expect(source).toContain('#00aa00');
  expect(source).not.toContain('id="red" style="left: 100px; top: 100px');
  await expect(e.layer('blue')).toHaveCSS('background-color', 'rgb(0, 170, 0)');
  await e.press('Control+z'); // takes back one's own
  await expect.poll(() => e.style('red')).toContain('left: 100px; top: 100px');
  expect(await e.source()).toContain('#00aa00');
});

test('what somebody else does appears while nobody works here', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'watching', card);
  await change(daemon, 'watching', [{ op: 'set_style', id: 'blue', property: 'background', value: '#00aa00' }]);
  await expect(e.layer('blue')).toHaveCSS('background-color', 'rgb(0, 170, 0)');
});

test('two people who change the same see both, and one of them decides', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'clash', card);
  const drag = async (theirs: string) => {
    const a = await e.at(450, 270), b = await e.at(500, 300);
    await page.mouse.move(a.x, a.y);
    await page.mouse.down();
    await page.keyboard.down('Control');
    await page.mouse.move(b.x, b.y, { steps: 4 });
    await change(daemon, 'clash', [{ op: 'set_style', id: 'blue', property: 'width', value: theirs }]);
    await page.mouse.up();
    await page.keyboard.up('Control');
    await expect(page.getByRole('dialog', { name: 'Grace changed the same meanwhile' })).toContainText(theirs);
  };
  await drag('110px');
  await page.getByRole('button', { name: 'Keep theirs' }).click();
  expect(await e.style('blue')).toContain('left: 400px; top: 220px; width: 110px');
  await expect(e.layer('blue')).toHaveCSS('left', '400px');
  await drag('120px');
  await page.getByRole('button', { name: 'Put mine on top' }).click();
  await expect.poll(() => e.style('blue')).toContain('left: 450px; top: 250px; width: 120px');
});

test('a daemon that goes and comes back under an open page loses nothing', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'restart', card);
  await daemon.stop('SIGKILL');
  await e.drag([160, 140], [260, 190], ['Control']);
  await expect(page.locator('.editor-saved')).toContainText('Not connected');
  await e.drag([450, 270], [500, 300], ['Control']);
  await expect(page.locator('.editor-saved')).toContainText('2 changes kept here');
  await expect(e.layer('red')).toHaveCSS('left', '200px');
  await daemon.run();
  await expect.poll(() => e.style('red')).toContain('left: 200px; top: 150px');
  expect(await e.style('blue')).toContain('left: 450px; top: 250px');
  await e.press('Control+z');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
});

test('what the daemon refuses is said, and the canvas shows what is so', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'refused', card);
  await change(daemon, 'refused', [{ op: 'set_attr', id: 'red', name: 'p-lock', value: 'true' }]);
  await expect(page.getByRole('treeitem', { name: /^red, shape, locked/ })).toBeVisible();
  await e.click(160, 140);
  await expect(page.getByRole('treeitem', { selected: true })).toHaveCount(0);
});
