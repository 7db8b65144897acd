// The editor's panels: what the inspector, the source and the data say goes to
// the daemon, and what it refuses stays at its place.

import type { Page } from '@playwright/test';

import { type Daemon, expect, test } from './daemon.ts';

const card = `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "Card",
  "sizes": { "default": { "w": 1200, "h": 630 }, "story": { "w": 1080, "h": 1920, "label": "Story" } },
  "vars": {
    "title": { "type": "text", "required": true, "example": "Trail Runner 2" },
    "price": { "type": "number", "example": 129.5 },
    "sale": { "type": "boolean", "default": false }
  }
}
</script>
<style id="p-tokens">
  :root { --paper: #ffffff; --ink: #0f172a; }
</style>
<style id="p-size-story">
  #title { width: 936px; font-size: 96px; }
</style>
</head>
<body>
<section id="card" class="p-page" style="background: var(--paper)">
  <h1 id="title" p-fit="shrink" p-min="28" style="left: 64px; top: 72px; width: 520px; height: 210px; font: 700 64px/1.1 sans-serif; color: var(--ink)">{{ title }}</h1>
  <div id="price" style="left: 64px; top: 310px; font: 700 48px/1 sans-serif">{{ price | currency }}</div>
  <div id="box" style="left: 700px; top: 80px; width: 300px; height: 200px; background: linear-gradient(135deg, #e11d48 0%, var(--ink) 100%)"></div>
</section>
</body>
</html>
`;
const rows = JSON.stringify([{ title: 'Mug', price: 14.5, sale: true }, { title: 'A name that is longer than all others of this list', price: 1299 }, { title: 'Tent', price: 399 }]);

const names = ['inspector', 'bound', 'sizes', 'gradient', 'source', 'apart', 'rows', 'variables', 'publish', 'tokens', 'paste', 'render'];
test.use({ world: { files: Object.fromEntries(names.flatMap((n) => [[`templates/${n}.html`, card], [`templates/${n}.rows.json`, rows]])) } });

interface Tree {
  source: string;
  revision: number;
}

const sourceOf = async (daemon: Daemon, name: string): Promise<string> => (await daemon.ask<Tree>(`/templates/${name}/draft/tree`)).source;

async function open(page: Page, name: string): Promise<void> {
  const blocked: string[] = [];
  page.on('console', (m) => m.type() === 'error' && /Content Security Policy/.test(m.text()) && blocked.push(m.text()));
  page.on('close', () => expect(blocked).toEqual([]));
  await page.goto(`/studio/templates/${name}/edit`);
  await expect(page.getByRole('region', { name: 'Inspector' })).toBeVisible();
}

async function select(page: Page, layer: string): Promise<void> {
  await page.getByRole('treeitem', { name: layer }).click();
  await expect(page.getByRole('region', { name: 'Inspector' }).getByRole('heading', { name: layer })).toBeVisible();
}

test('numbers, sums, arrows and a scrub change the layer', async ({ page, daemon }) => {
  await open(page, 'inspector');
  await select(page, 'title');
  const left = page.getByRole('spinbutton', { name: 'Left' });
  await expect(left).toHaveValue('64');
  await left.fill('120+16');
  await left.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'inspector')).toContain('left: 136px; top: 72px');
  await left.press('Shift+ArrowUp');
  await expect.poll(() => sourceOf(daemon, 'inspector')).toContain('left: 146px');
  const handle = page.locator('.number-field', { has: page.getByRole('spinbutton', { name: 'Width', exact: true }) }).locator('.handle');
  const at = (await handle.boundingBox())!;
  await page.mouse.move(at.x + 3, at.y + 5);
  await page.mouse.down();
  await page.mouse.move(at.x + 43, at.y + 5, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => sourceOf(daemon, 'inspector')).toContain('width: 540px');
  await page.getByRole('radio', { name: 'Centre' }).check();
  await page.getByRole('button', { name: 'Text colour: ink' }).click();
  await page.getByLabel('Colour as hex or CSS').fill('369');
  await page.getByLabel('Colour as hex or CSS').press('Enter');
  await expect.poll(() => sourceOf(daemon, 'inspector')).toMatch(/id="title".*text-align: center.*color: #336699/);
});

test('several layers are changed at once, and what differs is mixed', async ({ page, daemon }) => {
  await open(page, 'bound');
  await select(page, 'title');
  await page.getByRole('treeitem', { name: 'price' }).click({ modifiers: ['Shift'] });
  await expect(page.getByRole('heading', { name: '2 layers' })).toBeVisible();
  await expect(page.getByRole('spinbutton', { name: 'Top' })).toHaveAttribute('placeholder', 'mixed');
  const left = page.getByRole('spinbutton', { name: 'Left' });
  await left.fill('80');
  await left.press('Enter');
  await expect.poll(async () => (await sourceOf(daemon, 'bound')).match(/left: 80px/g)?.length).toBe(2);
});

test('an expression is completed, shown with its value, and refused at its place while the last good one stands', async ({ page, daemon }) => {
  await open(page, 'bound');
  await select(page, 'title');
  await page.getByRole('button', { name: 'Colour: decide by data' }).click();
  const field = page.getByRole('textbox', { name: 'Colour: expression' });
  await expect(field).toBeFocused();
  await page.keyboard.type("pri");
  await expect(page.getByRole('option', { name: /^price/ }).first()).toBeVisible();
  await page.keyboard.press('Control+A');
  await page.keyboard.type("price > 100 ? '#ff0000' : '#00ff00'");
  await expect(page.locator('.worth').filter({ hasText: '#ff0000' })).toBeVisible();
  await expect(page.getByRole('listbox')).toHaveCount(0); // Enter would take a suggestion
  await page.keyboard.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'bound')).toContain(`p-style-color="{{ price > 100 ? '#ff0000' : '#00ff00' }}"`);
  await field.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('pricee > 100');
  await expect(page.getByRole('alert').filter({ hasText: 'pricee' })).toBeVisible();
  await expect(page.locator('.fault')).toHaveText('pricee');
  const before = (await daemon.ask<Tree>('/templates/bound/draft/tree')).revision;
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.getByRole('spinbutton', { name: 'Top' }).focus();
  expect((await daemon.ask<Tree>('/templates/bound/draft/tree')).revision).toBe(before);
  await page.getByRole('button', { name: 'Colour: remove the expression' }).click();
  await expect.poll(() => sourceOf(daemon, 'bound')).not.toContain('p-style-color');
});

test('another size has its own values, with a badge that gives them back', async ({ page, daemon }) => {
  await open(page, 'sizes');
  await page.getByLabel('Size', { exact: true }).first().selectOption('story');
  await select(page, 'title');
  await page.getByRole('spinbutton', { name: 'Top' }).fill('500');
  await page.keyboard.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'sizes')).toMatch(/#title \{[^}]*top: 500px/);
  expect(await sourceOf(daemon, 'sizes')).toContain('left: 64px; top: 72px');
  await page.getByRole('button', { name: 'Only in story: reset font-size to the base' }).click();
  await expect.poll(() => sourceOf(daemon, 'sizes')).not.toContain('96px');
});

test('a gradient keeps its tokens when a stop moves by the keyboard', async ({ page, daemon }) => {
  await open(page, 'gradient');
  await select(page, 'box');
  await page.getByRole('button', { name: 'Fill: linear gradient' }).click();
  await page.getByRole('button', { name: /^Stop 2 of 2/ }).focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await expect.poll(() => sourceOf(daemon, 'gradient')).toContain('background-image: linear-gradient(135deg, #e11d48 0%, var(--ink) 90%)');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => sourceOf(daemon, 'gradient')).toBe(card);
});

test('the source is sent after a pause, a refused text stays with its fault, and selection goes both ways', async ({ page, daemon }) => {
  await open(page, 'source');
  await page.getByRole('tab', { name: 'Source' }).click();
  const text = page.getByRole('textbox', { name: /^Source of the template/ });
  await expect(text).toContainText('p-version');
  await page.locator('.cm-line', { hasText: 'id="price"' }).click();
  await expect(page.getByRole('region', { name: 'Inspector' }).getByRole('heading', { name: 'price' })).toBeVisible();
  await page.keyboard.press('End');
  for (let i = 0; i < '</div>'.length; i++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.type(' only');
  await expect.poll(() => sourceOf(daemon, 'source')).toContain('{{ price | currency }} only</div>');
  await expect(page.frameLocator('.editor-sheet iframe').locator('#price')).toContainText('only');
  await page.keyboard.type(' {{ nothing( }}');
  await expect(page.getByText('Not taken; the document is as before')).toBeVisible();
  await expect(page.locator('.fault').first()).toBeVisible();
  await expect(text).toContainText('nothing(');
  expect(await sourceOf(daemon, 'source')).not.toContain('nothing(');
  await page.getByRole('button', { name: 'Give up what I wrote' }).click();
  await expect(text).not.toContainText('nothing(');
});

test('what the canvas changes comes into a source that is open', async ({ page }) => {
  await open(page, 'apart');
  await page.getByRole('tab', { name: 'Source' }).click();
  const text = page.getByRole('textbox', { name: /^Source of the template/ });
  await expect(text).toContainText('p-version');
  await select(page, 'box');
  const left = page.getByRole('spinbutton', { name: 'Left' });
  await left.fill('77');
  await left.press('Enter');
  await expect(text).toContainText('left: 77px');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(text).not.toContainText('left: 77px');
});

test('rows are stepped through, and the hard ones are found', async ({ page }) => {
  await open(page, 'rows');
  await page.getByRole('tab', { name: 'Data' }).click();
  const title = page.frameLocator('.editor-sheet iframe').locator('#title');
  await expect(title).toHaveText('Trail Runner 2');
  await page.getByRole('button', { name: 'Row behind' }).click();
  await expect(title).toHaveText('Mug');
  await page.getByLabel('Jump to a row').selectOption('longest:title');
  await expect(title).toContainText('longer than all others');
  await expect(page.getByRole('spinbutton', { name: 'Row', exact: true })).toHaveValue('2');
  await page.getByLabel('Jump to a row').selectOption('examples');
  await expect(title).toHaveText('Trail Runner 2');
  await page.getByRole('radio', { name: 'Stress sheet' }).check();
  await expect(page.getByRole('list', { name: 'Stress sheet' }).getByRole('button').first()).toBeVisible();
  await expect(page.frameLocator('.sheet-grid iframe >> nth=0').locator('#title')).toBeAttached();
  await page.getByRole('radio', { name: 'Check all rows' }).check();
  await page.getByRole('button', { name: 'Check 3 rows' }).click();
  await expect(page.getByRole('status').getByText(/3 of 3 rows in/)).toBeVisible();
});

test('pasted rows are stepped through too', async ({ page }) => {
  await open(page, 'paste');
  await page.getByRole('tab', { name: 'Data' }).click();
  await page.getByLabel('Rows from').selectOption('paste…');
  await page.getByLabel('Rows', { exact: true }).fill('title\tprice\nKettle\t20\nPan\t30\n');
  await page.getByRole('button', { name: 'Show the first' }).click();
  const title = page.frameLocator('.editor-sheet iframe').locator('#title');
  await expect(title).toHaveText('Kettle');
  await page.getByRole('button', { name: 'Row behind' }).click();
  await expect(title).toHaveText('Pan');
  await page.getByRole('radio', { name: 'Mapping' }).check();
  await expect(page.getByRole('region', { name: 'Variables' }).getByText('column of its name').first()).toBeVisible();
});

test('a variable is added, renamed with its uses, and removed', async ({ page, daemon }) => {
  await open(page, 'variables');
  await page.getByRole('tab', { name: 'Variables' }).click();
  await page.getByLabel('New variable').fill('brand');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect.poll(() => sourceOf(daemon, 'variables')).toMatch(/"brand": \{ "type": "text"/);
  await page.getByRole('list', { name: 'Variables' }).getByRole('button', { name: /^price/ }).click();
  await page.getByRole('tabpanel', { name: 'Variables' }).getByLabel('Name', { exact: true }).fill('amount');
  await page.keyboard.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'variables')).toContain('{{ amount | currency }}');
  await page.getByRole('list', { name: 'Variables' }).getByRole('button', { name: /^brand/ }).click();
  await page.getByRole('button', { name: 'Remove …' }).click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await expect.poll(() => sourceOf(daemon, 'variables')).not.toContain('brand');
});

test('tokens and themes change what uses them', async ({ page, daemon }) => {
  await open(page, 'tokens');
  await page.getByRole('tab', { name: 'Tokens' }).click();
  await page.getByLabel('New theme').fill('dark');
  await page.getByRole('button', { name: 'Add', exact: true }).last().click();
  await expect(page.getByRole('radio', { name: 'dark' })).toBeChecked();
  await page.getByRole('button', { name: '--paper: #ffffff' }).click();
  await page.getByLabel('Colour as hex or CSS').fill('#111111');
  await page.keyboard.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'tokens')).toMatch(/data-theme="?dark"?\][^}]*--paper: #111111/);
});

test('a version is published with its forecast, and an older one is restored', async ({ page, daemon }) => {
  await open(page, 'publish');
  await select(page, 'box');
  const left = page.getByRole('spinbutton', { name: 'Left' });
  await left.fill('33');
  await left.press('Enter');
  await expect.poll(() => sourceOf(daemon, 'publish')).toContain('left: 33px');
  await page.getByRole('button', { name: 'Publish' }).click();
  const dialog = page.getByRole('dialog', { name: 'Publish Card' });
  await expect(dialog.getByText(/0 images will be made again/)).toBeVisible();
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('tab', { name: 'Versions' }).click();
  const list = page.getByRole('list', { name: 'Versions' }).getByRole('listitem');
  await expect(list).toHaveCount(2);
  await list.last().getByRole('button', { name: 'What changed since' }).click();
  await expect(page.getByLabel(/^Source of version 1/)).toContainText('left: 33px');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await list.last().getByRole('button', { name: 'Restore' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await expect.poll(() => sourceOf(daemon, 'publish')).toBe(card);
});

test('the daemon’s picture lies over the canvas, and says whether boxes agree', async ({ page }) => {
  await open(page, 'render');
  await page.getByRole('tab', { name: 'True render' }).click();
  await expect(page.getByText(/boxes stand in the same place/)).toBeVisible();
  await expect(page.locator('img.true-render')).toBeVisible();
  await page.getByRole('checkbox', { name: 'As the difference' }).uncheck();
  await expect(page.locator('img.true-render')).toHaveCSS('mix-blend-mode', 'normal');
});
