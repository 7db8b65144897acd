// The loop that most people write: one browser, one page, setContent and
// screenshot (or pdf) for each row. The page has an origin, so that Chrome keeps
// fonts and pictures in its cache.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import puppeteer from 'puppeteer-core';
import { dir, documents, format, measure, quality, version, workload } from './peer.js';

const types = { '.js': 'text/javascript', '.svg': 'image/svg+xml', '.jpg': 'image/jpeg', '.png': 'image/png', '.woff2': 'font/woff2' };
const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  if (path === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html>');
  response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream');
  response.setHeader('cache-control', 'max-age=3600, immutable');
  createReadStream(join(dir, path)).on('error', () => response.writeHead(404).end()).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROME,
  headless: 'shell',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
try {
  const html = await documents();
  const { width, height } = workload;
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await measure('puppeteer', await version('puppeteer-core'), 1, async (n) => {
    await page.setContent(html[n]);
    await page.evaluate(() => window.fitted ?? document.fonts.ready);
    if (format === 'pdf') return page.pdf({ width, height, printBackground: true });
    return page.screenshot(format === 'png' ? { type: 'png' } : { type: format, quality });
  });
} finally {
  await browser.close();
  server.close();
}
