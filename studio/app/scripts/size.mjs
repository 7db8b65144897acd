// Says what a page's first load weighs, compressed, and fails where it is more
// than was promised: the dashboard 150 KB, the editor 400 KB.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist)));
const weights = new Map();
const weigh = (file) => {
  if (!weights.has(file)) weights.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return weights.get(file);
};

// load is every file that an entry needs before it shows itself.
function load(entries) {
  const files = new Set(['index.html']);
  const visit = (name) => {
    const chunk = manifest[name];
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const next of chunk.imports ?? []) visit(next);
  };
  entries.forEach(visit);
  return [...files].reduce((sum, file) => sum + weigh(file), 0);
}

let failed = false;
const pages = Object.keys(manifest).filter((name) => name.startsWith('src/pages/') && manifest[name].isDynamicEntry);
const promised = [['dashboard', ['index.html'], 150], ...pages.map((page) => [page.replace(/^src\/pages\/|\.tsx$/g, ''), ['index.html', page], 150])];
const editor = Object.keys(manifest).find((name) => name.startsWith('src/editor/') && manifest[name].isDynamicEntry);
if (editor) promised.push(['editor', ['index.html', editor], 400]);
for (const [name, entries, limit] of promised) {
  const kilobytes = load(entries) / 1000;
  const over = kilobytes > limit;
  failed ||= over;
  console.log(`${name}: ${kilobytes.toFixed(1)} KB compressed, at most ${limit}${over ? ', TOO MUCH' : ''}`);
}
process.exit(failed ? 1 : 0);
