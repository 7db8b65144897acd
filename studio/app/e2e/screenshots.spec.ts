// Every page with something on it: nothing is too wide for a phone, nobody is
// asked but the daemon, the console stays empty, axe finds nothing serious in
// either theme. PICTIFYD_SCREENSHOTS=1 writes docs/screenshots.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, type House, test } from './house.ts';

const folder = process.env.PICTIFYD_SCREENSHOTS ? resolve(import.meta.dirname, '../../../docs/screenshots') : undefined;
const desktop = { width: 1440, height: 900 }, phone = { width: 360, height: 740 };

interface Place {
  name: string;
  at: string | ((h: House) => string);
  there: (page: Page) => Promise<unknown>; // when it shows what it is for
}

const heading = (name: string | RegExp) => (page: Page) => expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
const row = (label: string | RegExp) => (page: Page) => expect(page.getByRole('region', { name: label }).last().getByRole('row').nth(1)).toBeVisible();
const part = (text: string | RegExp) => (page: Page) => expect(page.getByRole('tabpanel').getByText(text).first()).toBeVisible();
const canvas = (page: Page) => expect(page.frameLocator('.editor-sheet iframe').locator('.p-page')).toBeVisible();

const places: Place[] = [
  { name: 'overview', at: '/studio/', there: (p) => expect(p.getByRole('region', { name: /Newest images/ }).getByRole('listitem').first()).toBeVisible() },
  { name: 'bindings', at: '/studio/bindings', there: row('Bindings') },
  { name: 'binding-new', at: '/studio/bindings/new?source=furniture&template=og-card', there: (p) => expect(p.getByLabel('Column for category')).toHaveValue('category') },
  { name: 'binding', at: '/studio/bindings/product-cards', there: heading('product-cards') },
  { name: 'binding-rows', at: '/studio/bindings/product-cards/rows', there: row(/Rows/) },
  { name: 'binding-row', at: '/studio/bindings/product-cards/rows?row=CB-110', there: (p) => expect(p.getByRole('dialog').getByRole('img').first()).toBeVisible() },
  { name: 'binding-changes', at: '/studio/bindings/product-cards/changes', there: heading('product-cards') },
  { name: 'binding-preview', at: '/studio/bindings/product-cards/preview', there: (p) => expect(p.getByRole('region', { name: 'Variables of' })).toBeVisible() },
  { name: 'binding-guard', at: '/studio/bindings/og-cards/guard', there: row('Rows that are held') },
  { name: 'binding-runs', at: '/studio/bindings/product-cards/runs', there: heading('product-cards') },
  { name: 'binding-config', at: '/studio/bindings/product-cards/config', there: part('Image of a row') },
  { name: 'jobs', at: '/studio/jobs', there: row(/Jobs/) },
  { name: 'job', at: (h) => `/studio/jobs/${h.job}`, there: row('Rows') },
  { name: 'batch', at: '/studio/batch?template=announcement', there: batch },
  { name: 'gallery', at: '/studio/images', there: (p) => expect(p.getByRole('list', { name: 'Images' }).getByRole('link').nth(5)).toBeVisible() },
  { name: 'image', at: (h) => h.image, there: async (p) => {
    await p.getByRole('list', { name: 'Images' }).getByRole('link').first().click();
    await expect(p.getByRole('dialog').getByText('because the row changed')).toBeVisible();
  } },
  { name: 'templates', at: '/studio/templates', there: (p) => expect(p.getByRole('article')).toHaveCount(3) },
  { name: 'template', at: '/studio/templates/product-card', there: (p) => expect(p.getByText('What rows must bring')).toBeVisible() },
  { name: 'experiments', at: '/studio/experiments', there: row('Experiments') },
  { name: 'experiment', at: (h) => `/studio/experiments/${h.experiment}`, there: (p) => expect(p.getByRole('slider', { name: 'Rate of clicks: day' })).toBeVisible() },
  { name: 'experiment-plots', at: (h) => `/studio/experiments/${h.experiment}`, there: (p) => p.getByRole('heading', { name: 'Rate of clicks' }).scrollIntoViewIfNeeded() },
  { name: 'experiment-new', at: '/studio/experiments/new?template=product-card', there: (p) => expect(p.getByRole('img', { name: 'B as it would be drawn' })).toBeVisible() },
  { name: 'deliveries', at: '/studio/deliveries', there: row('Deliveries') },
  { name: 'delivery', at: (h) => `/studio/deliveries/${h.delivery}`, there: heading(/./) },
  { name: 'dead-letters', at: '/studio/dead-letters', there: heading('Dead letters') },
  { name: 'sources', at: '/studio/sources', there: heading('Sources') },
  { name: 'source', at: '/studio/sources/furniture', there: heading('furniture') },
  { name: 'source-new', at: '/studio/sources/new?kind=http', there: (p) => expect(p.getByRole('button', { name: 'Test the connection' })).toBeVisible() },
  { name: 'sinks', at: '/studio/sinks', there: heading('Sinks') },
  { name: 'sink', at: '/studio/sinks/shop', there: heading('shop') },
  { name: 'sink-new', at: '/studio/sinks/new?kind=s3', there: (p) => expect(p.getByRole('button', { name: 'Test the connection' })).toBeVisible() },
  { name: 'system', at: '/studio/system', there: heading('System') },
  { name: 'not-found', at: '/studio/nowhere', there: heading('There is no such page') },
  { name: 'editor', at: '/studio/templates/product-card/edit', there: async (p) => {
    await canvas(p);
    await p.getByRole('treeitem').nth(1).click();
  } },
  { name: 'editor-data', at: '/studio/templates/og-card/edit', there: async (p) => {
    await canvas(p);
    await p.getByRole('tab', { name: 'Data' }).click();
    await p.getByLabel('Rows from').selectOption('binding:og-cards');
    await p.getByRole('radio', { name: 'Stress sheet' }).check();
    await expect(p.frameLocator('.sheet-grid iframe >> nth=0').locator('.p-page')).toBeAttached();
  } },
  { name: 'editor-mapping', at: '/studio/templates/og-card/edit', there: async (p) => {
    await canvas(p);
    await p.getByRole('tab', { name: 'Data' }).click();
    await p.getByLabel('Rows from').selectOption('binding:og-cards');
    await p.getByRole('radio', { name: 'Mapping' }).check();
    await expect(p.getByRole('region', { name: 'Variables' }).getByText('column of its name').first()).toBeVisible();
  } },
  { name: 'editor-source', at: '/studio/templates/announcement/edit', there: async (p) => {
    await canvas(p);
    await p.getByRole('tab', { name: 'Source' }).click();
    await expect(p.locator('.cm-content')).toContainText('p-version');
  } },
  { name: 'editor-sizes', at: '/studio/templates/announcement/edit', there: async (p) => {
    await canvas(p);
    await p.getByRole('button', { name: 'All sizes' }).click();
  } },
];

async function batch(page: Page): Promise<void> {
  const rows = 'email,first_name,projects,project_1,plan\nada@mail.example,Ada,3,Packaging,Studio\ngrace@mail.example,Grace,7,Spring catalogue,Free\nalan@mail.example,Alan,many,Museum guide,Team\n';
  await page.locator('input[type=file]').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from(rows) });
  await page.getByRole('button', { name: 'Check all rows' }).click();
  await expect(page.getByText('2 of 3 rows are good, 1 are not')).toBeVisible({ timeout: 30_000 });
}

/** shown is when every picture that is in sight has come. */
const shown = (page: Page) => expect.poll(() => page.evaluate(() => [...document.images].filter((i) => {
  const { top, bottom, width } = i.getBoundingClientRect();
  return width > 0 && bottom > 0 && top < innerHeight && !(i.complete && i.naturalWidth > 0) && !i.closest('[hidden]');
}).map((i) => i.src))).toEqual([]);

async function picture(page: Page, name: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: 72 });
  await cdp.detach();
  mkdirSync(folder!, { recursive: true });
  writeFileSync(join(folder!, `${name}.webp`), Buffer.from(data, 'base64'));
}

/** driver is what the browser says of scripts that the test itself puts into the frame, which lets none run. */
const driver = /^Blocked script execution in '[^']*' because the document's frame is sandboxed/;

async function sound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).exclude('iframe').analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id}: ${v.nodes.slice(0, 4).map((n) => `${n.target.join(' ')} (${n.any[0]?.message ?? n.failureSummary})`).join(' | ')}`)).toEqual([]);
}

for (const { name, at, there } of places) {
  test(`the page ${name} is sound in both themes, and as narrow as a phone`, async ({ page, daemon, house }) => {
    const faults: string[] = [];
    page.on('console', (m) => m.type() === 'error' && !driver.test(m.text()) && faults.push(m.text()));
    page.on('pageerror', (e) => faults.push(e.message));
    page.on('request', (r) => new URL(r.url()).protocol.startsWith('http') && new URL(r.url()).origin !== daemon.url && faults.push(`asked ${r.url()}`));
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize(desktop);
    await page.goto(typeof at === 'string' ? at : at(house));
    await there(page);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await page.setViewportSize(desktop);
      await shown(page);
      await sound(page);
      if (folder) await picture(page, `${name}-${theme}-desktop`);
      await page.setViewportSize(phone);
      await shown(page);
      const wide = await page.evaluate(() => {
        const most = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= most) return [];
        return [...document.body.querySelectorAll('*')].filter((el) => el.getBoundingClientRect().right > most + 0.5).slice(0, 5).map((el) => `${el.tagName.toLowerCase()}.${el.className} to ${Math.round(el.getBoundingClientRect().right)}`);
      });
      expect(wide, 'what is wider than 360 px').toEqual([]);
      if (folder) await picture(page, `${name}-${theme}-phone`);
    }
    expect(faults).toEqual([]);
  });
}
