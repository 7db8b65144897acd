// Whole ways through the studio, as a person goes them.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Page } from '@playwright/test';

import { type Daemon, expect, test } from './daemon.ts';

const key = 'a-key-that-may-do-all-0123456789abcdef';
const customers = readFileSync(resolve(import.meta.dirname, '../../../examples/campaign/customers.csv'), 'utf8').trim().split('\n');
const things = (price: number) => `sku,label,price,stock\nS-1,Kettle,${price},4\nS-2,Mug,9.5,0\nS-3,Lamp,30,7\n`;

test.use({
  world: {
    templates: ['examples/campaign/templates', 'examples/quickstart/templates'],
    files: { 'things.csv': things(20) },
    keys: `- { name: all, key: ${key} }`,
    config: `sources:
  things: { kind: file, path: things.csv, key: sku, every: 1s }
bindings:
  - { name: shelf, source: things, template: product-card, map: { title: label, sale: "false" } }
`,
  },
});

const ask = <T>(daemon: Daemon, path: string, init: Parameters<Daemon['ask']>[1] = {}) => daemon.ask<T>(path, { ...init, headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${key}` } });

async function enter(page: Page, daemon: Daemon, by = key): Promise<void> {
  const opened = await page.request.post(`${daemon.url}/session`, { data: { key: by } });
  expect(opened.status()).toBe(204);
}

test('from a CSV to a ZIP: columns are found, a bad row is named, a sample is seen, the rest is drawn and downloaded', async ({ page, daemon }, info) => {
  await enter(page, daemon);
  // The template's variables are called otherwise than the columns of this file, and a row is wrong.
  const [head, ...rows] = [customers[0]!.replace('first_name', 'given name'), ...customers.slice(1, 6)];
  const bad = customers[6]!.split(',').map((v, i) => (i === 5 ? 'many' : v)).join(',');
  await page.goto('/studio/batch');
  await page.locator('input[type=file]').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from([head, ...rows, bad].join('\n')) });
  await expect(page.getByText('6 rows with 10 columns, CSV.')).toBeVisible();
  await page.getByLabel('Template').selectOption('announcement');
  await page.getByLabel('Format').selectOption('jpeg');
  await page.getByLabel('Name rows by').selectOption('email');
  await expect(page.getByLabel('Column for project_1')).toHaveValue('project_1');
  await expect(page.getByText('found by its name').first()).toBeVisible();
  await page.getByLabel('Column for first_name').selectOption({ label: 'given name (text)' });
  await page.getByLabel('Column for project_1').selectOption({ label: 'An expression …' });
  await page.getByLabel('Expression for project_1').fill('upper(project_1)');

  await page.getByRole('button', { name: 'Check all rows' }).click();
  await expect(page.getByText('5 of 6 rows are good, 1 are not')).toBeVisible({ timeout: 30_000 });
  const wrong = page.getByRole('region', { name: 'Bad rows' });
  await expect(wrong.getByRole('row')).toHaveCount(2);
  await expect(wrong).toContainText('wrong_type');
  await expect(wrong).toContainText('projects');
  const sample = page.getByRole('img', { name: /as it is drawn/ }).first();
  await expect.poll(() => sample.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth)).toBeGreaterThan(100);

  await page.getByRole('button', { name: 'Run anyway: 5 of 6 rows' }).click();
  await page.getByRole('dialog', { name: 'Run with 1 bad row?' }).getByRole('button', { name: /^Run anyway/ }).click();
  await expect(page).toHaveURL(/job=/);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the ZIP' }).click({ timeout: 60_000 });
  const zip = info.outputPath('batch.zip');
  await (await download).saveAs(zip);
  // Python reads the archive: another reading of the format than our own.
  const inside = JSON.parse(execFileSync('python3', ['-c', 'import sys,json,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(json.dumps({"bad":z.testzip(),"jpegs":[n for n in z.namelist() if z.read(n)[:3]==b"\\xff\\xd8\\xff"]}))', zip], { encoding: 'utf8' })) as { bad: string | null; jpegs: string[] };
  expect(inside.bad).toBeNull();
  expect(inside.jpegs.length).toBe(5);
  expect(inside.jpegs.some((n) => n.includes('ada.lovelace'))).toBe(true);
  await expect(page.getByText('1 row failed.')).toBeVisible();
  await page.getByRole('link', { name: 'See the images' }).click();
  await page.getByRole('list', { name: 'Images' }).getByRole('link').first().click();
  const shown = page.getByRole('dialog');
  const email = await shown.getByRole('heading', { level: 2 }).textContent();
  const [, given, , , , , project] = rows.find((r) => r.startsWith(`${email},`))!.split(',');
  await expect(shown).toContainText(given!);
  await expect(shown).toContainText(project!.toUpperCase()); // what the expression made
});

test('from nothing to a binding: a template is made in the editor, published, bound to rows, and its images are there', async ({ page, daemon }) => {
  test.setTimeout(120_000);
  await enter(page, daemon);
  await page.goto('/studio/templates');
  await page.getByRole('button', { name: 'New template' }).click();
  await page.getByLabel('Name').last().fill('shelf-label');
  await page.getByRole('button', { name: 'Make and edit' }).click();
  await expect(page).toHaveURL(/\/shelf-label\/edit$/);
  const frame = page.frameLocator('.editor-sheet iframe');
  await expect(frame.locator('.p-page')).toBeVisible();
  const saved = () => expect(page.locator('.editor-saved')).toHaveAttribute('data-state', 'saved');

  await page.getByRole('tab', { name: 'Variables' }).click();
  for (const name of ['caption', 'price']) {
    await page.getByLabel('New variable').fill(name);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await expect(page.getByRole('list', { name: 'Variables' }).getByRole('button', { name: new RegExp(`^${name}`) })).toBeVisible();
  }
  const insert = async (what: string) => {
    await page.getByRole('button', { name: 'Insert a layer' }).click();
    await page.getByRole('menuitem', { name: new RegExp(`^${what}`) }).first().click();
    await saved();
  };
  const write = async (text: string) => {
    await page.getByLabel('Text', { exact: true }).fill(text);
    await page.keyboard.press('Control+Enter');
    await saved();
  };
  const top = async (value: string) => {
    await page.getByRole('spinbutton', { name: 'Top' }).fill(value);
    await page.keyboard.press('Enter');
    await saved();
  };
  await insert('Rectangle');
  await top('40');
  await insert('Text');
  await write('{{ caption }}');
  await top('300');
  await insert('Text');
  await write('for {{ price }}');
  await top('420');
  await insert('QR code');
  const draft = await ask<{ draft: { html: string; problems: { fatal: boolean }[] } }>(daemon, '/templates/shelf-label/draft');
  expect(draft.draft.problems.filter((p) => p.fatal)).toEqual([]);
  expect(draft.draft.html).toContain('for {{ price }}');

  await page.getByRole('button', { name: 'Publish' }).click();
  const dialog = page.getByRole('dialog', { name: /^Publish/ });
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(dialog).toBeHidden();

  await page.goto('/studio/templates/shelf-label');
  await page.getByRole('link', { name: 'bind rows to it' }).click();
  await expect(page.getByLabel('Drawn with')).toHaveValue('shelf-label');
  await page.getByLabel('Rows of').selectOption('things');
  await expect(page.getByText('3 rows with 4 columns in things.')).toBeVisible();
  await expect(page.getByLabel('Column for price')).toHaveValue('price');
  await page.getByLabel('Column for caption').selectOption('label');
  await page.getByLabel('Name').fill('labels');
  await page.getByRole('button', { name: 'Make it, and draw 3 rows' }).click();
  await expect(page).toHaveURL(/\/studio\/bindings\/labels$/);
  await expect.poll(async () => (await ask<{ binding: { ready: number } }>(daemon, '/bindings/labels')).binding.ready, { timeout: 60_000 }).toBe(3);
  await page.goto('/studio/images?binding=labels');
  const list = page.getByRole('list', { name: 'Images' });
  await expect(list.getByRole('link')).toHaveCount(3);
  await list.getByRole('link').first().click();
  await expect(page.getByRole('dialog').getByRole('definition').filter({ hasText: /Kettle|Mug|Lamp/ }).first()).toBeVisible();

  // A change of its template names what it will draw again, and draws it.
  await page.goto('/studio/templates/shelf-label/edit');
  await expect(frame.locator('.p-page')).toBeVisible();
  await page.getByRole('treeitem', { name: /^shape/ }).click();
  await top('60');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('button', { name: 'Publish and make 3 images' }).click();
  await expect.poll(async () => (await ask<{ images: { version: number }[] }>(daemon, '/images?binding=labels')).images.map((i) => i.version), { timeout: 60_000 }).toEqual([2, 2, 2]);
});

test('a daemon that is started again under an open page: the page says so, and goes on with what is new', async ({ page, daemon }) => {
  await enter(page, daemon);
  const live = page.getByRole('status').filter({ visible: true });
  await page.goto('/studio/bindings');
  await expect(live.getByText('Live')).toBeVisible();
  const row = page.getByRole('region', { name: 'Bindings' }).getByRole('row').filter({ hasText: 'shelf' }).first();
  await expect(row).toContainText('3 of 3', { timeout: 60_000 });
  await page.evaluate(() => Object.assign(window, { same: true }));
  await daemon.stop('SIGKILL');
  await expect(live.getByText('Disconnected')).toBeVisible();
  await expect(row).toContainText('3 of 3'); // what was seen stays
  await row.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('pictifyd was not reached')).toBeVisible();
  daemon.write('things.csv', `${things(21)}S-4,Bowl,12,3\n`);
  await daemon.run();
  await expect(live.getByText('Live')).toBeVisible({ timeout: 30_000 });
  await expect(row).toContainText('4 of 4', { timeout: 60_000 });
  expect(await page.evaluate(() => 'same' in window)).toBe(true); // it was not loaded again
});

const ends: [how: string, end: (daemon: Daemon, id: string) => Promise<unknown>][] = [
  ['revoked', (daemon: Daemon, id: string) => ask(daemon, `/keys/${id}`, { method: 'DELETE' })],
  ['expired', () => Promise.resolve()], // it ends by itself, while the page is open
];
for (const [how, end] of ends) {
  test(`a key that is ${how} under an open page is asked for again, and the page goes on where it stood`, async ({ page, daemon }) => {
    const expires = Date.now() + (how === 'expired' ? 5_000 : 3_600_000);
    const made = await ask(daemon, '/keys', { json: { name: `guest-${how}`, scopes: ['admin'], expiresAt: new Date(expires).toISOString() } });
    const text = JSON.stringify(made);
    await enter(page, daemon, /pk_live_[\w-]{20,}/.exec(text)![0]);
    await page.goto('/studio/templates?q=card');
    await expect(page.getByRole('article').first()).toBeVisible();
    await end(daemon, /"id":"([^"]+)"/.exec(text)![1]!);
    const dialog = page.getByRole('dialog', { name: 'Your key has ended' });
    await expect(dialog).toBeVisible({ timeout: 30_000 });
    await dialog.getByLabel('Key').fill('no-such-key-0123456789-0123456789-012');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('not known here');
    await dialog.getByLabel('Key').fill(key);
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    await expect(page).toHaveURL(/\/studio\/templates\?q=card$/);
    await expect(page.getByRole('status').filter({ visible: true }).getByText('Live')).toBeVisible();
    await page.getByRole('link', { name: 'Bindings' }).click();
    await expect(page.getByRole('region', { name: 'Bindings' }).getByRole('row').filter({ hasText: 'shelf' }).first()).toBeVisible();
  });
}
