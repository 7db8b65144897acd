import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { type Daemon, expect, test as base } from './daemon.ts';
import { Editing } from './editor.ts';
import { Model } from './model.ts';

const poster = `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "Poster",
  "sizes": { "default": { "w": 800, "h": 420 } },
  "vars": {
    "title": { "type": "text", "maxLength": 60, "example": "Summer sale" },
    "price": { "type": "text", "maxLength": 12, "example": "$ 19.90" }
  }
}
</script>
<style>
  #title { left: 60px; top: 60px; width: 620px; height: 130px; font: 700 44px/1.2 sans-serif; color: #1b1f23; overflow-wrap: anywhere; }
  #price { left: 60px; top: 230px; width: 300px; height: 50px; font: 400 32px/1.3 sans-serif; color: #3d464d; }
</style>
</head>
<body>
<section id="page" class="p-page" style="background: #ffffff">
  <div id="bar" style="left: 60px; top: 340px; width: 200px; height: 20px; background: #0f766e"></div>
  <h1 id="title">{{ title }}</h1>
  <p id="price">{{ price }}</p>
</section>
</body>
</html>
`;

const plan = (...items: string[]) => [{ name: 'set_plan', arguments: { items } }];
const style = (id: string, property: string, value: string) => ({ name: 'set_style', arguments: { id, property, value } });
const step = (title: string) => ({ name: 'finish_step', arguments: { title } });
const finish = [{ name: 'finish', arguments: { summary: 'It is done.' } }];

const test = base.extend<object, { model: Model }>({
  model: [async ({}, use) => {
    const model = await Model.start({
      'Ask me first': [plan('Make the title bigger'), [{ name: 'ask_user', arguments: { question: 'How big shall the title be?', choices: ['Large', 'Huge'] } }], [style('title', 'font-size', '52px'), step('Make the title bigger')], finish],
      'Never end': [plan('Wait'), { until: 'the end of the world', then: finish }],
      'Two at leisure': [plan('Recolour the bar', 'Recolour the price'), [style('bar', 'background', '#7c3aed'), step('Recolour the bar')], { until: 'second step', then: [style('price', 'color', '#5b21b6'), step('Recolour the price')] }, finish],
      'Recolour the bar twice': [plan('First colour', 'Second colour'), [style('bar', 'background', '#7c3aed'), step('First colour')], [style('bar', 'background', '#5b21b6'), step('Second colour')], finish],
      'Make the price weak': [plan('Make the price weak'), [style('price', 'color', '#c8c8c8'), step('Make the price weak')], [step('Make the price weak')], [step('Make the price weak')], finish],
    });
    await use(model);
    model.stop();
  }, { scope: 'worker' }],
  world: [async ({ model }, use) => use({
    config: `copilot:
  models:
    - { name: scripted, kind: openai, url: "http://127.0.0.1:${model.port}/v1", model: scripted, price: { in: 3, out: 15 } }
    - { name: unpaid, kind: openai, url: "http://127.0.0.1:${model.port}/v1", model: scripted, key: wrong }
    - { name: away, kind: openai, url: "http://127.0.0.1:9/v1", model: scripted }
`,
  }), { scope: 'worker' }],
});

// A run draws every size and theme with the hardest rows.
const patient = { timeout: 120_000 };
test.describe.configure({ timeout: 240_000 });

const panel = (page: Page) => page.getByRole('region', { name: 'Copilot' });
const field = (page: Page) => page.getByRole('textbox', { name: 'What should change?' });
const stepOf = (page: Page, n: number) => panel(page).getByRole('article', { name: new RegExp(`^Step ${n}:`) });
const state = (page: Page) => panel(page).locator('.copilot-status');

/** open is the editor of a new poster, with the copilot open. */
async function open(page: Page, daemon: Daemon, name: string): Promise<Editing> {
  const e = await Editing.open(page, daemon, name, poster);
  await e.press('Control+k');
  await expect(field(page)).toBeFocused();
  return e;
}

async function ask(page: Page, message: string, model = 'scripted'): Promise<void> {
  await panel(page).getByLabel('Model').selectOption(model);
  await field(page).fill(message);
  await field(page).press('Enter');
  await expect(panel(page).locator('.copilot-message')).toContainText(message);
}

async function reviewed(page: Page): Promise<void> {
  await expect(state(page)).toHaveText('Waits for your review', patient);
}

/** drawn is when every picture in the panel is there. */
async function drawn(page: Page): Promise<number> {
  const pictures = panel(page).locator('.copilot-body img');
  await expect.poll(() => pictures.evaluateAll((all) => all.every((i) => (i as HTMLImageElement).complete && (i as HTMLImageElement).naturalWidth > 0))).toBe(true);
  return pictures.count();
}

async function sound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).exclude('iframe').analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
}

test('"Make a dark-mode variant" from the chip to what is accepted, shown on the canvas', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'dark');
  await panel(page).getByRole('button', { name: 'Make a dark-mode variant' }).click();
  await reviewed(page);
  await expect(panel(page).getByRole('list', { name: 'Plan' }).getByText('done').first()).toBeVisible();
  expect(await drawn(page)).toBeGreaterThan(0);
  await expect(panel(page).getByText('To review').first()).toBeVisible();
  await expect.poll(() => e.source()).not.toBe(poster);
  await panel(page).getByRole('button', { name: 'Show it' }).click();
  await expect(page.getByLabel('Theme', { exact: true })).toHaveValue('dark');
  await expect(e.frame.locator('#page')).not.toHaveCSS('background-color', 'rgb(255, 255, 255)');
  await expect(panel(page).getByRole('button', { name: 'Try it as an experiment' })).toBeDisabled();
  await expect(panel(page).getByText('publish the template first')).toBeVisible();
  await panel(page).getByRole('button', { name: 'Accept all' }).click();
  await expect(state(page)).toHaveText('Accepted');
  await expect(panel(page).getByRole('region', { name: 'Review' })).toHaveCount(0);
  expect((await daemon.ask<{ draft: { html: string } }>('/templates/dark/draft')).draft.html).toContain('dark');

  // What is published can be compared.
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click();
  await panel(page).getByRole('button', { name: 'Try it as an experiment' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Dark or light');
  await page.getByRole('dialog').getByRole('button', { name: 'Make the experiment' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Dark or light' })).toBeVisible();
});

test('"Resize this for Instagram Story": a size more, and the first document back when it is rejected', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'story');
  await panel(page).getByRole('button', { name: 'Resize this for Instagram Story' }).click();
  await reviewed(page);
  expect(await drawn(page)).toBeGreaterThan(0);
  await stepOf(page, 1).getByRole('button', { name: 'Show on the canvas' }).click();
  await expect(page.getByLabel('Size', { exact: true })).toHaveText(/1080 × 1920/);
  await expect(page.locator('.editor-sheet iframe')).toHaveCSS('height', '1920px');
  const steps = await panel(page).getByRole('article').count();
  for (let n = steps; n > 0; n--) {
    await stepOf(page, n).getByRole('button', { name: 'Reject' }).click();
    await expect(stepOf(page, n).getByText('Taken back')).toBeVisible();
  }
  await expect(state(page)).toHaveText('Discarded');
  expect(await e.source()).toBe(poster);
  await expect(page.locator('.editor-sheet iframe')).toHaveCSS('height', '420px');
});

test('"Generate five backgrounds": one is picked, another one takes its place, and none is kept', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'backgrounds');
  await panel(page).getByRole('button', { name: 'Generate five backgrounds' }).click();
  await reviewed(page);
  const choices = panel(page).getByRole('region', { name: 'Choose one' }).getByRole('listitem').getByRole('button');
  await expect(choices).toHaveCount(5);
  expect(await drawn(page)).toBe(5);
  expect(await e.source()).toBe(poster);
  await choices.nth(1).click();
  await expect(choices.nth(1)).toHaveAttribute('aria-pressed', 'true');
  const second = await e.source();
  expect(second).not.toBe(poster);
  await choices.nth(3).click();
  await expect(choices.nth(3)).toHaveAttribute('aria-pressed', 'true');
  await expect(choices.nth(1)).toHaveAttribute('aria-pressed', 'false');
  expect(await e.source()).not.toBe(second);
  await panel(page).getByRole('button', { name: 'Keep none' }).click();
  await expect(choices.nth(3)).toHaveAttribute('aria-pressed', 'false');
  expect(await e.source()).toBe(poster);
  await choices.nth(0).click();
  await expect(choices.nth(0)).toHaveAttribute('aria-pressed', 'true');
  expect(await e.source()).not.toBe(poster);
});

test('a run that is asked by keys alone, and its findings lead to their layers', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'keys');
  await page.keyboard.press('Escape');
  await expect(page.locator('#page')).toBeFocused();
  await page.keyboard.press('Control+k');
  await panel(page).getByLabel('Model').selectOption('scripted');
  await field(page).focus();
  await page.keyboard.type('Make the price weak');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('please');
  await expect(field(page)).toHaveValue('Make the price weak\nplease');
  await page.keyboard.press('Enter');
  await reviewed(page);
  await expect(panel(page).getByRole('status').filter({ hasText: 'Copilot: Waits for your review. 1 step to review' })).toBeAttached();
  const found = stepOf(page, 1).getByRole('list', { name: 'Found after step 1' });
  await expect(found).toContainText('needs 3 : 1');
  await found.getByRole('button', { name: 'price' }).first().focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('treeitem', { selected: true })).toHaveAccessibleName(/^price/);
  await expect(panel(page).getByRole('button', { name: 'Leave out price' })).toBeVisible();
  const wipe = stepOf(page, 1).getByRole('slider');
  await wipe.focus();
  await page.keyboard.press('End');
  await expect(wipe).toHaveAttribute('aria-valuetext', 'before');
  await stepOf(page, 1).getByRole('button', { name: 'Larger' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByText('Before', { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await stepOf(page, 1).getByRole('button', { name: 'Reject' }).focus();
  await page.keyboard.press('Enter');
  await expect(state(page)).toHaveText('Discarded');
  expect(await e.source()).toBe(poster);
});

test('a run is cancelled, and another one can be asked', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'cancel');
  await ask(page, 'Never end');
  await expect(panel(page).getByRole('list', { name: 'Plan' })).toContainText('Wait');
  await panel(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page)).toHaveText('Cancelled');
  await expect(panel(page).getByText('The draft is as it was.')).toBeVisible();
  expect(await e.source()).toBe(poster);
  await expect(field(page)).toBeEnabled();
  await panel(page).getByRole('button', { name: 'New' }).click();
  await expect(panel(page).getByRole('heading', { name: 'Say what should change' })).toBeVisible();
});

test('a page that is loaded again in the middle of a run, and a second window, go on with it', async ({ page, daemon, context }) => {
  await open(page, daemon, 'middle');
  await ask(page, 'Ask me first');
  const question = panel(page).getByRole('region', { name: 'Question' });
  await expect(question).toContainText('How big shall the title be?', patient);
  await page.reload();
  await expect(page.getByRole('button', { name: /^Copilot ?: Waits for your answer/ })).toBeVisible();
  await page.getByRole('button', { name: /^Copilot/ }).click();
  await expect(question).toContainText('How big shall the title be?');
  const other = await context.newPage();
  await Editing.open(other, daemon, 'middle');
  await other.getByRole('button', { name: /^Copilot/ }).click();
  await panel(other).getByRole('button', { name: 'Huge' }).click();
  for (const p of [page, other]) {
    await reviewed(p);
    await expect(stepOf(p, 1)).toBeVisible();
    await expect(p.frameLocator('.editor-sheet iframe').locator('#title')).toHaveCSS('font-size', '52px');
  }
  await panel(other).getByRole('button', { name: 'Accept all' }).click();
  await expect(state(other)).toHaveText('Accepted');
  await expect(state(page)).toHaveText('Accepted');
});

test('the canvas shows each step as it comes, and undo takes back only what a person did', async ({ page, daemon, model }) => {
  const e = await open(page, daemon, 'live');
  await e.drag([160, 350], [260, 370], ['Control']);
  expect(await e.style('bar')).toContain('left: 160px; top: 360px');
  await ask(page, 'Two at leisure');
  await expect(stepOf(page, 1)).toBeVisible(patient);
  await expect(e.layer('bar')).toHaveCSS('background-color', 'rgb(124, 58, 237)');
  await expect(e.layer('price')).not.toHaveCSS('color', 'rgb(91, 33, 182)');
  await expect(page.getByText('Somebody else has changed this template')).toHaveCount(0);
  model.open('second step');
  await reviewed(page);
  await expect(e.layer('price')).toHaveCSS('color', 'rgb(91, 33, 182)');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(e.layer('bar')).toHaveCSS('left', '60px');
  await expect(e.layer('bar')).toHaveCSS('background-color', 'rgb(124, 58, 237)');
  await expect(page.getByRole('button', { name: 'Undo', exact: true })).toBeDisabled();
  await expect(panel(page).getByText(/tokens · cost 0\.0/)).toBeVisible();
});

test('a step that another one stands on says what is in the way', async ({ page, daemon }) => {
  const e = await open(page, daemon, 'blocked');
  await ask(page, 'Recolour the bar twice');
  await reviewed(page);
  await stepOf(page, 1).getByRole('button', { name: 'Reject' }).click();
  await expect(stepOf(page, 1).getByRole('alert')).toContainText('the copilot');
  await expect(stepOf(page, 1).getByRole('alert')).toContainText('bar');
  await stepOf(page, 2).getByRole('button', { name: 'Reject' }).click();
  await expect(stepOf(page, 2).getByText('Taken back')).toBeVisible();
  await stepOf(page, 1).getByRole('button', { name: 'Accept' }).click();
  await expect(state(page)).toHaveText('Accepted');
  await stepOf(page, 1).getByRole('button', { name: 'Undo' }).click();
  await expect(stepOf(page, 1).getByText('Taken back')).toBeVisible();
  expect(await e.source()).toBe(poster);
});

test('a model that is away or does not know the key says so with the next step, and the runs are listed', async ({ page, daemon }) => {
  await open(page, daemon, 'away');
  await ask(page, 'Make it bolder', 'away');
  await expect(state(page)).toHaveText('Ended early', patient);
  await expect(panel(page).locator('.note[data-level=error]')).toContainText(/away/);
  await expect(panel(page).locator('.note[data-level=error] .soft')).not.toBeEmpty();
  await ask(page, 'Make it bolder, please', 'unpaid');
  await expect(state(page)).toHaveText('Ended early', patient);
  await expect(panel(page).locator('.note[data-level=error]')).toContainText(/key/);
  await panel(page).getByRole('button', { name: 'History' }).click();
  const runs = panel(page).getByRole('list', { name: 'Runs of this template' }).getByRole('listitem');
  await expect(runs).toHaveCount(2);
  await runs.nth(1).getByRole('button').click();
  await expect(panel(page).getByRole('heading', { name: 'A run of before' })).toBeVisible();
  await expect(panel(page).locator('.copilot-message')).toContainText('Make it bolder');
});

test('while a run is open, another window is led to it', async ({ page, daemon, context }) => {
  await open(page, daemon, 'busy');
  const other = await context.newPage();
  await Editing.open(other, daemon, 'busy');
  await other.getByRole('button', { name: /^Copilot/ }).click();
  await other.route('**/copilot/runs?*', (route) => route.fulfill({ json: { runs: [], nextAfter: null } })); // it has not looked since
  await ask(page, 'Never end');
  await expect(panel(page).getByRole('list', { name: 'Plan' })).toContainText('Wait'); // it is open
  await panel(other).getByLabel('Model').selectOption('scripted');
  await field(other).fill('Something else');
  await field(other).press('Enter');
  await expect(panel(other).getByRole('alert')).toBeVisible();
  await other.unroute('**/copilot/runs?*');
  await panel(other).getByRole('button', { name: 'See the run' }).click();
  await expect(panel(other).locator('.copilot-message')).toContainText('Never end');
  await panel(other).getByRole('button', { name: 'Cancel' }).click();
  await expect(state(page)).toHaveText('Cancelled');
});

for (const scheme of ['light', 'dark'] as const) {
  test(`nothing is out of sight or unreadable, ${scheme}`, async ({ page, daemon }, info) => {
    await page.emulateMedia({ colorScheme: scheme });
    const refused: string[] = [];
    page.on('console', (m) => m.text().includes('Content Security Policy') && refused.push(m.text()));
    await open(page, daemon, `looks-${scheme}`);
    await sound(page);
    await page.screenshot({ path: info.outputPath('empty.png') });
    await panel(page).getByRole('button', { name: 'Make a dark-mode variant' }).click();
    await reviewed(page);
    await drawn(page);
    await sound(page);
    await page.screenshot({ path: info.outputPath('review.png') });
    await stepOf(page, 1).getByText(/operation/).click();
    await stepOf(page, 1).getByRole('button', { name: 'Larger' }).click();
    await sound(page);
    await page.screenshot({ path: info.outputPath('large.png') });
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 360, height: 740 });
    await expect(field(page)).toBeInViewport();
    await expect(page.locator('.editor-canvas')).toBeInViewport();
    await expect(panel(page).getByRole('button', { name: 'Accept all' })).toBeInViewport();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(await panel(page).evaluate((el) => [...el.querySelectorAll('*')].filter((c) => !c.closest('.hide, pre') && c.getBoundingClientRect().right > 361).length)).toBe(0);
    await sound(page);
    await page.screenshot({ path: info.outputPath('phone.png') });
    await panel(page).getByRole('button', { name: 'Close the copilot' }).click();
    await expect(panel(page)).toHaveCount(0);
    expect(refused).toEqual([]);
  });
}
