import { readFileSync } from 'node:fs';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { type Daemon, expect, test } from './daemon.ts';

test.use({ world: { templates: ['examples/quickstart/templates'] } });

const browser = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

/** visit fetches the image as the browser of a unit does, and says which variant came. */
async function visit(daemon: Daemon, slug: string, unit: string, query = '', headers = {}): Promise<string> {
  const answer = await fetch(`${daemon.url}/s/${slug}/${unit}.png${query}`, { headers: { ...browser, ...headers } });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return answer.headers.get('X-Variant') ?? '';
}

/** traffic has units see the image; of those of b one in two clicks, of the others one in so many. */
async function traffic(daemon: Daemon, slug: string, n: number, others = 10): Promise<Record<string, { seen: number; clicked: number }>> {
  const all: Record<string, { seen: number; clicked: number }> = {};
  for (let i = 0; i < n; i++) {
    const variant = await visit(daemon, slug, `u${i}`);
    const mine = (all[variant] ??= { seen: 0, clicked: 0 });
    if (mine.seen++ % (variant === 'b' ? 2 : others) === 0) {
      const click = await fetch(`${daemon.url}/s/${slug}/u${i}/click`, { headers: browser, redirect: 'manual' });
      expect(click.headers.get('Location')).toContain('https://shop.example/spring');
      mine.clicked++;
    }
  }
  return all;
}

async function sound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
}

const row = (page: Page, name: string) => page.getByRole('region', { name: 'Variants' }).last().getByRole('row').filter({ hasText: name });

test('an experiment is made, started, watched, paused and completed against the numbers', async ({ page, daemon }) => {
  test.setTimeout(120_000);
  await page.goto('/studio/experiments');
  await expect(page.getByRole('heading', { name: 'No experiment yet' })).toBeVisible();
  await expect(page.getByText(`curl ${daemon.url}/experiments`)).toBeVisible();
  await page.getByRole('link', { name: 'New experiment' }).click();

  await page.getByLabel('Name').first().fill('Spring banner');
  await expect(page.getByLabel('Address')).toHaveValue('spring-banner');
  await page.getByLabel('Hypothesis').fill('A price in the title gets more clicks.');
  await page.getByRole('group', { name: 'A', exact: true }).getByLabel('Template').selectOption('product-card');
  await page.getByRole('group', { name: 'A', exact: true }).getByRole('button', { name: 'Fill in the examples' }).click();
  const b = page.getByRole('group', { name: 'B', exact: true });
  await b.getByLabel('Template').selectOption('product-card');
  await b.getByRole('button', { name: 'Fill in the examples' }).click();
  await b.getByLabel(/^title/).fill('Half price until Sunday');
  await expect(page.getByRole('img', { name: 'B as it would be drawn' })).toBeVisible();
  await page.getByLabel('Weight of B in percent').fill('60');
  await expect(page.getByLabel('Weight of A in percent')).toHaveValue('40');
  await page.getByLabel('A click leads to').fill('https://shop.example/spring');
  await sound(page);
  await page.getByRole('button', { name: 'Make the experiment' }).click();

  await expect(page.getByRole('heading', { level: 1, name: 'Spring banner' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Nobody sees it yet.' })).toBeVisible();
  expect((await fetch(`${daemon.url}/s/spring-banner/u0.png`, { headers: browser })).status).toBe(404);
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.getByRole('dialog')).toContainText('2 pictures are drawn first');
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('heading', { name: 'Nobody has seen it yet.' })).toBeVisible();

  const came = await traffic(daemon, 'spring-banner', 120);
  expect(Object.keys(came).sort()).toEqual(['a', 'b']);
  await expect.poll(async () => {
    await page.reload();
    return row(page, 'B').getByRole('cell').nth(3).textContent();
  }, { timeout: 30_000 }).toBe(String(came.b!.seen));
  await expect(row(page, 'B').getByRole('cell').nth(4)).toHaveText(String(came.b!.clicked));
  await expect(row(page, 'A').getByRole('cell').nth(3)).toHaveText(String(came.a!.seen));
  await expect(page.getByRole('heading', { name: 'B is ahead, and that can still be chance.' })).toBeVisible();
  await expect(page.getByText('It looks won, and is not yet.')).toBeVisible();
  await expect(page.getByText('People in each variant: not reached')).toBeVisible();
  for (const img of await page.getByRole('region', { name: 'Variants' }).last().getByRole('img', { name: / as it / }).all()) await expect.poll(() => img.evaluate((i: HTMLImageElement) => i.complete && i.naturalWidth), { timeout: 30_000 }).toBeGreaterThan(100);
  await sound(page);

  const rates = page.getByRole('slider', { name: 'Rate of clicks: day' });
  await rates.press('End');
  await expect(rates).toHaveAttribute('aria-valuetext', new RegExp(`B ${((came.b!.clicked / came.b!.seen) * 100).toFixed(1)}\\s%`));
  await page.getByRole('figure', { name: 'New people a day' }).getByText('As a table').click();
  await expect(page.getByRole('region', { name: 'New people a day, as a table' }).getByRole('cell').last()).toHaveText(String(came.b!.seen));

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  expect(readFileSync(await (await download).path(), 'utf8').split('\n').filter((l) => l.startsWith('assignment,'))).toHaveLength(120);

  await page.getByText('How it is set').click();
  await page.getByLabel('Forget a person').fill('u7');
  await page.getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await expect(page.getByText('u7 is forgotten')).toBeVisible();
  expect(await fetch(`${daemon.url}/experiments/spring-banner/export.csv`).then((r) => r.text())).not.toContain(',u7,');

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('dialog')).toContainText('120 people keep the image that they have');
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();

  await page.getByRole('button', { name: 'Change weights' }).click();
  await page.getByRole('dialog').getByLabel('Weight of A in percent').fill('10');
  await expect(page.getByRole('dialog').getByLabel('Weight of B in percent')).toHaveValue('90');
  await page.getByRole('dialog').getByRole('button', { name: 'Change weights' }).click();
  await expect(row(page, 'B').getByRole('cell').nth(2)).toHaveText('90 %');
  await expect(page.getByRole('slider', { name: 'Weights of new people: time' })).toHaveAttribute('aria-valuetext', /A 10\s%/);

  await page.getByRole('button', { name: 'Complete' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /B/ }).check();
  await expect(dialog).toContainText('of at least 7 days');
  await expect(dialog.getByRole('button', { name: 'Complete all the same' })).toBeDisabled();
  await sound(page);
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Complete all the same' }).click();
  await expect(page.getByRole('heading', { name: 'Everybody gets B, for ever.' })).toBeVisible();
  const before = Array.from({ length: 12 }, (_, i) => `u${i}`);
  await expect.poll(async () => new Set(await Promise.all(before.map((unit) => visit(daemon, 'spring-banner', unit))))).toEqual(new Set(['b']));

  await page.goto('/studio/experiments?status=completed');
  await expect(page.getByRole('row').filter({ hasText: 'Spring banner' })).toContainText('Decided');
  await page.getByLabel('Status').selectOption('running');
  await expect(page).toHaveURL(/status=running/);
  await expect(page.getByRole('heading', { name: 'None of 1 experiments meets these filters' })).toBeVisible();
});

test('a winner that is true is named, and needs no force', async ({ page, daemon }) => {
  const card = (id: string, title: string) => ({ id, templateUid: 'product-card', variables: { title, price: 9 } });
  await daemon.ask('/experiments', { json: { name: 'Clear', slug: 'clear', goalConfig: { type: 'click_through', destinationUrl: 'https://shop.example/spring' }, minimumRunDays: 0.000001, minimumSampleSize: 50, variants: [card('a', 'Mug'), card('b', 'Mug, half price')] } });
  await daemon.ask('/experiments/clear/start', { json: {} });
  const came = await traffic(daemon, 'clear', 1200, 12);
  await page.goto('/studio/experiments');
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page.getByRole('heading', { name: /^b wins: \+\d+ % against a, and at least \+\d+/ })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('It looks won, and is not yet.')).toHaveCount(0);
  await expect(row(page, 'b').getByRole('cell').nth(3)).toHaveText(String(came.b!.seen));
  await page.getByRole('button', { name: 'Complete' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('radio', { name: /the numbers say this one/ })).toBeChecked();
  await dialog.getByRole('button', { name: 'Complete', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Everybody gets b, for ever.' })).toBeVisible();
});

test('a smart link shows by rules, and what is wrong is said at its field', async ({ page, daemon }) => {
  await page.goto('/studio/experiments/new?template=product-card');
  await page.getByLabel('Name').first().fill('Events');
  await page.getByRole('radio', { name: /Smart link/ }).check();
  for (const name of ['A', 'B']) await page.getByRole('group', { name, exact: true }).getByRole('button', { name: 'Fill in the examples' }).click();
  await page.getByLabel('Goal').selectOption('impressions_only');
  await page.getByRole('group', { name: 'Shown when' }).getByRole('button', { name: 'Add a group' }).click();
  const inner = page.getByRole('group', { name: 'Shown when, group 2' });
  await inner.getByLabel('Rule 1: what it is about').selectOption('custom');
  await inner.getByLabel('Rule 1: name').fill('plan');
  await inner.getByLabel('Rule 1: comparison').selectOption('in');
  await inner.getByLabel('Rule 1: value').fill('gold, silver');
  await page.getByRole('button', { name: 'Make the experiment' }).click();
  await expect(page.locator('.field').filter({ hasText: 'Address' }).getByRole('alert')).toContainText('reserved');
  await page.getByLabel('Address').fill('by-plan');
  await page.getByRole('button', { name: 'Make the experiment' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
  await expect(row(page, 'B')).toContainText('device is mobile and plan is one of gold, silver');

  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible({ timeout: 30_000 });
  const phone = { 'User-Agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148' };
  expect(await visit(daemon, 'by-plan', 'one', '?custom.plan=gold', phone)).toBe('b');
  expect(await visit(daemon, 'by-plan', 'two', '?custom.plan=iron', phone)).toBe('a');
  expect(await visit(daemon, 'by-plan', 'three', '?custom.plan=gold')).toBe('a');

  await page.getByRole('link', { name: 'Edit' }).click();
  await expect(page.getByLabel('Address')).toBeDisabled();
  await page.getByLabel('Name').first().fill('Events by plan');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events by plan' })).toBeVisible();
});
