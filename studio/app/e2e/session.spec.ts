// Who comes in, and what other sites can do: policies, the cookie, origins.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from './daemon.ts';
import { card } from './editor.ts';

const key = 'a-key-that-nobody-guesses-0123456789';
test.use({ world: { files: { 'templates/card.html': card, 'things.csv': 'sku,title\nS-1,Mug\n' }, keys: `- { name: desk, key: ${key} }`, config: 'sources:\n  things: { kind: file, path: things.csv, key: sku }\nbindings:\n  - { name: shelf, source: things, template: card }\n' } });

test('every page and every file of the studio has its policy', async ({ page, daemon }) => {
  const strict = /default-src 'none'; script-src 'self'; style-src 'self';.*form-action 'self'; base-uri 'none'; frame-ancestors 'none'/;
  for (const signedIn of [false, true]) {
    if (signedIn) await page.request.post('/session', { data: { key } });
    for (const at of ['/', '/studio/', '/studio/bindings', '/studio/bindings/shelf', '/studio/templates/card/edit', '/studio/images', '/studio/batch', '/studio/system', '/studio/no-such-page', '/docs']) {
      const { headers, text } = await page.request.get(at).then(async (a) => ({ headers: a.headers(), text: await a.text() }));
      expect(headers['content-security-policy'], at).toMatch(strict);
      expect(headers['content-security-policy'], at).not.toMatch(/unsafe|\*/);
      expect(headers['x-content-type-options'], at).toBe('nosniff');
      expect(headers['referrer-policy'], at).toBe('same-origin');
      expect(text, at).not.toContain(key);
    }
  }
  const frame = (await page.request.get('/studio/frame')).headers();
  expect(frame['content-security-policy']).toMatch(/^default-src 'none';.*script-src 'none'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'/);
  await page.goto('/studio/templates/card/edit');
  await expect(page.locator('.editor-sheet iframe')).toHaveAttribute('sandbox', 'allow-same-origin');
  expect(await page.evaluate(() => document.cookie)).toBe(''); // no script reads the session
  expect(daemon.log).not.toContain(key);
});

test('the session is a cookie that scripts and other sites do not get', async ({ page }) => {
  const opened = await page.request.post('/session', { data: { key } });
  expect(opened.headers()['set-cookie']).toMatch(/; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
  expect(cookie!.value).not.toContain(key);
  expect((await page.request.get('/session')).status()).toBe(200);
  await page.request.delete('/session');
  expect((await page.request.get('/session')).status()).toBe(401);
});

test('a page of another origin, of the same site even, changes nothing', async ({ page, daemon }) => {
  // Another port of the same host: to a browser it is the same site, so that the cookie comes along.
  const other = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<!doctype html><title>another</title><form method="post" enctype="text/plain" action="${daemon.url}/bindings/shelf/pause"><button>Win a prize</button></form>`);
  });
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const theirs = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  try {
    await page.request.post('/session', { data: { key } });
    await page.goto(theirs);
    const answered = page.waitForResponse((r) => r.url().endsWith('/pause'));
    await page.getByRole('button').click();
    const refusal = await answered;
    expect(await refusal.request().headerValue('cookie')).toContain('='); // it did come along
    expect(refusal.status()).toBe(403);
    expect(await refusal.text()).toContain('origin_refused');
    await page.goto(theirs);
    const read = await page.evaluate((url) => fetch(`${url}/bindings`, { credentials: 'include' }).then(() => 'read', () => 'refused'), daemon.url);
    expect(read).toBe('refused');
    for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }] as Record<string, string>[]) {
      const answer = await page.request.post('/bindings/shelf/pause', { headers });
      expect(answer.status(), JSON.stringify(headers)).toBe(403);
    }
    const shelf = await daemon.ask<{ binding: { freshness: { state: string } } }>('/bindings/shelf', { headers: { Authorization: `Bearer ${key}` } });
    expect(shelf.binding.freshness.state).not.toBe('paused');
  } finally {
    other.close();
  }
});
