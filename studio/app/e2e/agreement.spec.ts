// The canvas and the daemon show the same: each starter, in all its sizes, with
// its sample rows and with the hard ones of its stress sheet. Boxes, sizes of
// fitted texts, and pixels by the rule that the renderer's own lanes are held to.
// PICTIFYD_TEST_LONG=1 takes every row in every size, else it is each sixteenth of them.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { CDPSession, Page } from '@playwright/test';

import config from '../playwright.config.ts';
import { Editing } from './editor.ts';
import { type Daemon, expect, test } from './daemon.ts';
import { apart } from './pixels.ts';

const starters = ['certificate', 'event-ticket', 'invoice', 'job-posting', 'leaderboard', 'og-card', 'product-card', 'quote', 'real-estate', 'speaker-card', 'usage-report', 'year-review'];
const each = process.env.PICTIFYD_TEST_LONG ? 1 : 16;

// The browser draws as the daemon's does: letters are not moved to whole pixels,
// and the screen is one tile, as a picture is, for colours are dithered anew in each.
const { launchOptions } = config.projects!.find((p) => p.name === 'browser')!.use!;
const tile = ['--default-tile-width=4096', '--default-tile-height=4096'];
test.use({ launchOptions: { ...launchOptions, args: [...launchOptions!.args!, '--font-render-hinting=none', ...tile] } });
test.use({ trace: 'off' }); // a trace of each row would take longer than all of them

type Row = Record<string, unknown>;
interface Size { name: string; width: number; height: number }
interface Case { name: string; row: Row }
interface Box { id?: string; tag: string; x: number; y: number; width: number; height: number }
interface View { width: number; height: number; row: { variables: Row } }
interface Picture { image: string; boxes: Box[]; boxesTruncated: boolean; layers: { layer: string; fontPx: number; cut: boolean }[] }

/** rowsOf are the sample rows of a starter. */
const rowsOf = (name: string) => JSON.parse(readFileSync(resolve(import.meta.dirname, `../../../template/starter/templates/${name}.rows.json`), 'utf8')) as Row[];

/** begin makes a template of a starter; its cases are the sample rows and those of its stress sheet. */
async function begin(daemon: Daemon, name: string): Promise<Case[]> {
  await daemon.ask('/templates', { json: { name, from: name } });
  const { cases: hard } = await daemon.ask<{ cases: { name: string; variables: Row }[] }>(`/templates/${name}/stress`);
  return [...rowsOf(name).map((row, i) => ({ name: `sample ${i + 1}`, row })), ...hard.map((c) => ({ name: c.name, row: c.variables }))];
}

/** elsewhere says what the canvas has otherwise than the picture. */
function elsewhere(page: Page, picture: Picture): Promise<string[]> {
  return page.evaluate(({ boxes, layers }) => {
    const frame = document.querySelector<HTMLIFrameElement>('.editor-sheet iframe')!.contentDocument!;
    const elements = [...frame.body.querySelectorAll('*')], found: string[] = [];
    if (elements.length !== boxes.length) found.push(`${elements.length} elements, in the picture ${boxes.length}`);
    for (const [i, box] of boxes.entries()) {
      const el = elements[i];
      if (!el) break;
      const { x, y, width, height } = el.getBoundingClientRect();
      const name = box.id ?? `${box.tag} ${i}`;
      if (el.localName !== box.tag || el.id !== (box.id ?? '')) found.push(`${name} is ${el.localName} ${el.id}`);
      else if (Math.max(Math.abs(x - box.x), Math.abs(y - box.y), Math.abs(width - box.width), Math.abs(height - box.height)) > 1 / 64) {
        found.push(`${name} at ${x}, ${y}, ${width}, ${height}, in the picture at ${box.x}, ${box.y}, ${box.width}, ${box.height}`);
      }
    }
    const nth = new Map<string, number>(); // of the copies that a loop makes
    for (const { layer, fontPx, cut } of layers) {
      const n = nth.get(layer) ?? 0;
      nth.set(layer, n + 1);
      const el = frame.querySelectorAll(`[id="${CSS.escape(layer)}"]`)[n];
      const px = el ? parseFloat(frame.defaultView!.getComputedStyle(el).fontSize) : NaN;
      if (!(Math.abs(px - fontPx) <= 0.011)) found.push(`${layer} at ${px} px, in the picture at ${fontPx}`);
      if (cut !== (el?.textContent?.includes('…') ?? false) && cut) found.push(`${layer} is not cut`);
    }
    return found;
  }, picture);
}

/** Canvas is the editor's, with the rows of a template in its Data panel. */
class Canvas {
  private constructor(readonly page: Page, private readonly cdp: CDPSession, private view: View) {}

  static async open(page: Page, daemon: Daemon, name: string, cases: Case[]): Promise<Canvas> {
    await Editing.open(page, daemon, name);
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByLabel('Rows from').selectOption('paste…');
    const shown = page.waitForResponse(/\/draft\/view$/);
    await page.locator('dialog input[type=file]').setInputFiles({ name: 'rows.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(cases.map((c) => c.row))) });
    const view = await (await shown).json() as View;
    await page.locator('.editor-overlay').evaluate((over: HTMLElement) => (over.style.visibility = 'hidden')); // the marks of what is wrong
    await page.getByRole('radio', { name: 'Check all rows' }).check(); // which is not high
    return new Canvas(page, await page.context().newCDPSession(page), view);
  }

  /** resize shows a size at its own scale. */
  async resize(size: Size): Promise<void> {
    await this.page.setViewportSize({ width: size.width + 800, height: size.height + 500 });
    const select = this.page.getByLabel('Size', { exact: true }).first();
    if (await select.inputValue() !== size.name) {
      const shown = this.page.waitForResponse(/\/draft\/view$/);
      await select.selectOption(size.name);
      this.view = await (await shown).json() as View;
    }
    await expect(this.page.locator('.editor-sheet iframe')).toHaveCSS('width', `${size.width}px`);
    await this.page.getByLabel('Canvas', { exact: true }).press('0');
    const { x, y } = await this.at();
    await this.page.mouse.move(x + 9, y + 9);
    await this.page.mouse.wheel(x % 8, y % 8); // colours are dithered by the place in the tile, 8 by 8
    await expect.poll(async () => Object.values(await this.at()).map((v) => v % 8)).toEqual([0, 0]);
  }

  /** at is where the frame's corner is on the screen: the browser puts it on whole pixels. */
  private async at(): Promise<{ x: number; y: number }> {
    const { x, y } = (await this.page.locator('.editor-sheet iframe').boundingBox())!;
    return { x: Math.round(x), y: Math.round(y) };
  }

  /** show takes the row with a number, and is what the daemon told of it. */
  async show(at: number): Promise<View> {
    const field = this.page.getByRole('spinbutton', { name: 'Row', exact: true });
    if (await field.inputValue() === String(at + 1)) return this.view;
    const shown = this.page.waitForResponse(/\/draft\/view$/);
    await field.fill(String(at + 1));
    await field.press('Enter');
    return (this.view = await (await shown).json() as View);
  }

  /** picture is the frame as it is on the screen. */
  async picture({ width, height }: Size): Promise<string> {
    const { data } = await this.cdp.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true, clip: { ...await this.at(), width, height, scale: 1 } });
    return data;
  }
}

test('the starters are those that are looked at here', async ({ daemon }) => {
  const { starters: all } = await daemon.ask<{ starters: { name: string }[] }>('/starters');
  expect(all.map((s) => s.name)).toEqual(starters);
});

for (const [nth, name] of starters.entries()) {
  test(`the canvas shows ${name} as the daemon draws it`, async ({ page, daemon, context }, info) => {
    test.setTimeout(each === 1 ? 1_200_000 : 180_000);
    const cases = await begin(daemon, name);
    const { manifest: { sizes } } = await daemon.ask<{ manifest: { sizes: Size[] } }>(`/templates/${name}/draft/tree`);
    const blank = await context.newPage();
    const canvas = await Canvas.open(page, daemon, name, cases);
    const faults: string[] = [];
    let compared = 0, refused = 0;
    for (const [s, size] of sizes.entries()) {
      await canvas.resize(size);
      for (const [i, { name: title }] of cases.entries()) {
        if ((7 * nth + 5 * s + i) % each !== 0) continue;
        const view = await canvas.show(i);
        const order = { size: size.name, variables: view.row.variables };
        const answer = await fetch(`${daemon.url}/templates/${name}/draft/render`, { method: 'POST', body: JSON.stringify(order), headers: { 'Content-Type': 'application/json' } });
        if (!answer.ok) {
          faults.push(`${size.name}, ${title}: ${await answer.text()}`);
          refused++;
          continue;
        }
        const picture = await answer.json() as Picture;
        compared++;
        let found: string[] = [];
        for (const deadline = Date.now() + 3000; ;) { // until the canvas has come to rest
          found = await elsewhere(page, picture);
          if (found.length === 0) {
            const ours = await canvas.picture(size), theirs = picture.image.split(',')[1]!;
            const how = await apart(blank, ours, theirs);
            if (!how) break;
            found = [how];
            if (Date.now() > deadline) {
              writeFileSync(info.outputPath(`${compared}-canvas.png`), ours, 'base64');
              writeFileSync(info.outputPath(`${compared}-daemon.png`), theirs, 'base64');
            }
          }
          if (Date.now() > deadline) break;
        }
        faults.push(...found.slice(0, 4).map((f) => `${size.name}, ${title}: ${f}`));
      }
    }
    console.log(`${name}: ${compared} of ${cases.length * sizes.length} rows in sizes compared, ${refused} refused`);
    expect(faults).toEqual([]);
  });
}
