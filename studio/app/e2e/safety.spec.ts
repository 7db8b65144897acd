// Nothing that a template or a row says runs in the studio.

import type { Page } from '@playwright/test';

import { expect, test } from './daemon.ts';
import { card, Editing } from './editor.ts';

const evil = 'https://evil.example';
const mark = (name: string) => `top.marks=(top.marks||[]).concat('${name}')`;

// Each would leave a mark at the top window, or ask for an address that says
// what it did, where nothing kept it from that. What has the class go is clicked.
const attacks: Record<string, string> = {
  script: `<script>${mark('script')}</script>`,
  module: `<script type="module">${mark('module')}</script>`,
  remoteScript: `<script src="${evil}/remoteScript.js"></script>`,
  onerror: `<img src="/studio/not-there.png" alt="" onerror="${mark('onerror')}">`,
  onload: `<svg width="9" height="9" onload="${mark('onload')}"></svg>`,
  svgScript: `<svg width="9" height="9"><script>${mark('svgScript')}</script></svg>`,
  onfocus: `<input autofocus onfocus="${mark('onfocus')}">`,
  ontoggle: `<details open ontoggle="${mark('ontoggle')}"><summary>x</summary></details>`,
  onanimation: `<style>@keyframes turn { to { opacity: .5 } } #turning { animation: turn 1ms }</style><div id="turning" onanimationend="${mark('onanimation')}">x</div>`,
  onclick: `<div class="go" onclick="${mark('onclick')}">x</div>`,
  link: `<a class="go" href="javascript:${mark('link')}">x</a>`,
  linkInDisguise: `<a class="go" href=" jav&#x09;ascript:${mark('linkInDisguise')}">x</a>`,
  svgLink: `<svg width="9" height="9"><a href="javascript:${mark('svgLink')}"><circle class="go-svg" r="4" cx="4" cy="4"/></a></svg>`,
  formaction: `<form><button class="go" formaction="javascript:${mark('formaction')}">x</button></form>`,
  form: `<form action="/attack/form"><button class="go">x</button></form>`,
  srcdoc: `<iframe srcdoc="<script>${mark('srcdoc')}</script>"></iframe>`,
  frame: `<iframe src="javascript:${mark('frame')}"></iframe>`,
  embed: `<embed src="/attack/embed" type="text/html">`,
  object: `<object data="/attack/object" type="text/html"></object>`,
  top: `<a class="go" target="_top" href="/attack/top">x</a>`,
  refresh: `<meta http-equiv="refresh" content="0;url=/attack/refresh">`,
  base: `<base href="${evil}/"><img src="base.png" alt="">`,
  stylesheet: `<link rel="stylesheet" href="${evil}/stylesheet.css">`,
  background: `<div style="width: 9px; height: 9px; background: url(${evil}/background.png)">x</div>`,
};

/** watched notes what attacks do in a page. */
function watched(page: Page, own: string): { did: () => Promise<string[]> } {
  const asked = new Set<string>();
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (url.pathname.startsWith('/attack/')) asked.add(url.pathname.slice('/attack/'.length));
    else if (url.origin === evil) asked.add(url.pathname.slice(1).replace(/\.\w+$/, ''));
    else if (url.protocol.startsWith('http') && url.origin !== own) asked.add(`another host: ${r.url()}`);
  });
  // A policy refuses a request that was begun: it never leaves the browser.
  page.on('requestfailed', (r) => r.failure()?.errorText === 'csp' && new URL(r.url()).origin === evil && asked.delete(new URL(r.url()).pathname.slice(1).replace(/\.\w+$/, '')));
  page.on('popup', (p) => asked.add(`popup ${p.url()}`));
  return {
    did: async () => [...new Set([...asked, ...(await page.evaluate(() => (window as { marks?: string[] }).marks ?? []))])].sort(),
  };
}

test.use({
  world: {
    templates: ['examples/quickstart/templates'],
    files: { 'things.csv': `sku,name,price\nS-1,"<img src=x onerror=""${mark('row')}"">",20\n"<b onclick=x>",Mug,9\n` },
    config: `sources:
  things: { kind: file, path: things.csv, key: sku, every: 1s }
bindings:
  - { name: shelf, source: things, template: product-card, map: { title: name, sale: "false" } }
`,
  },
});

// The control: without it the tests below could pass because the attacks are none.
test('each attack is one where nothing keeps it from that', async ({ page, daemon }) => {
  const seen = watched(page, daemon.url);
  await page.route(`${evil}/**`, (route) => route.fulfill(route.request().url().endsWith('.js') ? { contentType: 'text/javascript', body: mark('remoteScript') } : { contentType: 'text/css', body: '' }));
  await page.route('**/attack/**', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  for (const [name, html] of Object.entries(attacks)) {
    await page.route('**/control', (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>x</title>${html}` }));
    await page.goto('/control');
    for (const el of await page.locator('.go, .go-svg').all()) await el.dispatchEvent('click').catch(() => undefined); // it may navigate away
    await expect.poll(() => seen.did().catch(() => []), name).toContain(name);
  }
});

test('written into the frame as it stands, no attack does anything', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'raw', card);
  const seen = watched(page, daemon.url);
  const at = page.url();
  const all = `<!doctype html><html><head><title>x</title></head><body>${Object.values(attacks).join('\n')}<p id="end">written</p></body></html>`;
  await page.evaluate((html) => {
    const doc = document.querySelector<HTMLIFrameElement>('.editor-sheet iframe')!.contentDocument!;
    doc.open();
    doc.write(html);
    doc.close();
  }, all);
  await expect(e.frame.locator('#end')).toBeVisible();
  for (const el of await e.frame.locator('.go, .go-svg').all()) await el.dispatchEvent('click');
  await settled(page);
  expect(await seen.did()).toEqual([]);
  expect(page.url()).toBe(at);
});

test('in a template that the daemon takes, no attack does anything: on the canvas and on the stress sheet', async ({ page, daemon }) => {
  const taken: string[] = [];
  const refused: string[] = [];
  for (const [name, html] of Object.entries(attacks)) {
    const answer = await fetch(`${daemon.url}/templates`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: `attack-${name}`, html: card.replace('</section>', `${html}\n</section>`) }) });
    (answer.status === 201 ? taken : refused).push(name);
    if (answer.status !== 201) expect(answer.status, name).toBe(422);
  }
  expect(refused.length).toBeGreaterThan(taken.length); // scripts and what brings them are refused where they are written
  const all = taken.map((n) => attacks[n]).join('\n');
  const e = await Editing.open(page, daemon, 'hostile', card.replace('</section>', `${all}\n</section>`));
  const seen = watched(page, daemon.url);
  const at = page.url();
  for (const el of await e.frame.locator('.go, .go-svg').all()) await el.dispatchEvent('click');
  await page.getByRole('tab', { name: 'Data' }).click();
  await page.getByRole('radio', { name: 'Stress sheet' }).check();
  await expect(page.frameLocator('.sheet-grid iframe >> nth=0').locator('#title')).toBeAttached();
  await settled(page);
  expect(await seen.did()).toEqual([]);
  expect(page.url()).toBe(at);
});

test('a picture with scripts does not come among the files of a template, and others bring no document', async ({ page, daemon }) => {
  await daemon.ask('/templates', { json: { name: 'files', html: card } });
  const put = async (name: string, inside: string) => {
    const { draft } = await daemon.ask<{ draft: { revision: number } }>('/templates/files/draft');
    return fetch(`${daemon.url}/templates/files/draft/assets/${name}`, { method: 'PUT', body: `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${inside}</svg>`, headers: { 'Content-Type': 'image/svg+xml', 'If-Match': `"${draft.revision}"` } });
  };
  for (const inside of [`<script>${mark('asset')}</script>`, `<rect width="9" height="9" onload="${mark('asset')}"/>`]) expect((await put('evil.svg', inside)).status).toBe(415);
  expect((await put('good.svg', '<rect width="9" height="9"/>')).status).toBe(200);
  const answer = await page.goto('/templates/files/draft/assets/good.svg');
  expect(answer!.headers()['content-security-policy']).toMatch(/^default-src 'none'.*sandbox/);
  expect(answer!.headers()['x-content-type-options']).toBe('nosniff');
});

test('what rows say is text wherever it is shown', async ({ page, daemon }) => {
  const seen = watched(page, daemon.url);
  await expect.poll(async () => (await daemon.ask<{ binding: { ready: number } }>('/bindings/shelf')).binding.ready, { timeout: 60_000 }).toBe(2);
  await page.goto('/studio/bindings/shelf/rows');
  await expect(page.getByRole('button', { name: /<b onclick/ })).toBeVisible();
  await page.getByRole('button', { name: 'S-1', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('<img src=x onerror=');
  await page.goto('/studio/images');
  await page.getByRole('list', { name: 'Images' }).getByRole('link').first().click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.goto('/studio/templates/product-card/edit');
  await page.getByRole('tab', { name: 'Data' }).click();
  await page.getByLabel('Rows from').selectOption('source:things');
  await settled(page);
  expect(await seen.did()).toEqual([]);
});

/** settled is when what was begun has had its chance: two turns of the window, and no request on its way. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  for (let i = 0; i < 3; i++) await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
