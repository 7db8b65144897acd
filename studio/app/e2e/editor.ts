// What the tests of the editor share: a template of three layers, and where
// things are on the screen.

import { expect, type Locator, type Page } from '@playwright/test';

import type { Daemon } from './daemon.ts';

export const card = `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "Card",
  "sizes": {
    "default": { "w": 800, "h": 400 },
    "story": { "w": 400, "h": 800, "label": "Story" }
  },
  "vars": {
    "title": { "type": "text", "example": "Hello" }
  }
}
</script>
</head>
<body>
<section id="page" class="p-page" style="background: #ffffff">
  <div id="red" style="left: 100px; top: 100px; width: 120px; height: 80px; background: #dd2222"></div>
  <div id="blue" style="left: 400px; top: 220px; width: 100px; height: 100px; background: #2222dd"></div>
  <h1 id="title" style="left: 300px; top: 40px; width: 300px; height: 60px; font: 700 40px/1.2 sans-serif; color: #111111">{{ title }}</h1>
</section>
</body>
</html>
`;

/** Editing is the editor of a template in one page of the browser. */
export class Editing {
  constructor(readonly page: Page, readonly daemon: Daemon, readonly name: string) {}

  static async open(page: Page, daemon: Daemon, name: string, html?: string): Promise<Editing> {
    if (html !== undefined) await daemon.ask(`/templates`, { json: { name, html } });
    const editing = new Editing(page, daemon, name);
    await page.goto(`/studio/templates/${name}/edit`);
    await expect(editing.frame.locator('.p-page')).toBeVisible();
    await editing.saved();
    return editing;
  }

  get frame() {
    return this.page.frameLocator('.editor-sheet iframe');
  }

  layer(id: string): Locator {
    return this.frame.locator(`#${id}`);
  }

  /** at is a point of the template on the screen. */
  async at(x: number, y: number): Promise<{ x: number; y: number }> {
    const box = (await this.page.locator('.editor-sheet').boundingBox())!;
    const scale = box.width / (await this.page.locator('.editor-sheet iframe').evaluate((f: HTMLIFrameElement) => f.clientWidth));
    return { x: box.x + x * scale, y: box.y + y * scale };
  }

  async click(x: number, y: number, modifiers: string[] = []): Promise<void> {
    const p = await this.at(x, y);
    for (const m of modifiers) await this.page.keyboard.down(m);
    await this.page.mouse.click(p.x, p.y);
    for (const m of modifiers) await this.page.keyboard.up(m);
  }

  /** drag goes from one point of the template to another with the pointer; held are keys that are down meanwhile. */
  async drag(from: [number, number], to: [number, number], held: string[] = []): Promise<void> {
    const a = await this.at(...from), b = await this.at(...to);
    await this.page.mouse.move(a.x, a.y);
    await this.page.mouse.down();
    for (const key of held) await this.page.keyboard.down(key);
    await this.page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2);
    await this.page.mouse.move(b.x, b.y);
    await this.page.mouse.up();
    for (const key of held) await this.page.keyboard.up(key);
  }

  /** grip drags a handle of the selection by pixels of the template. */
  async grip(handle: string, by: [number, number], held: string[] = []): Promise<void> {
    const box = (await this.page.locator(`[data-handle=${handle}]`).boundingBox())!;
    const sheet = (await this.page.locator('.editor-sheet').boundingBox())!;
    const scale = sheet.width / (await this.page.locator('.editor-sheet iframe').evaluate((f: HTMLIFrameElement) => f.clientWidth));
    const x = (box.x + box.width / 2 - sheet.x) / scale, y = (box.y + box.height / 2 - sheet.y) / scale;
    await this.drag([x, y], [x + by[0], y + by[1]], held);
  }

  async saved(): Promise<void> {
    await expect(this.page.locator('.editor-saved')).toHaveAttribute('data-state', 'saved');
  }

  /** source is the draft's text when everything is saved. */
  async source(): Promise<string> {
    await this.saved();
    const { draft } = await this.daemon.ask<{ draft: { html: string } }>(`/templates/${this.name}/draft`);
    return draft.html;
  }

  /** style is what the source says of a layer. */
  async style(id: string): Promise<string> {
    return new RegExp(`id="${id}"[^>]*style="([^"]*)"`).exec(await this.source())?.[1] ?? '';
  }

  press(keys: string): Promise<void> {
    return this.page.keyboard.press(keys);
  }
}
