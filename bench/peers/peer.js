// What the peers share: the flags, the workload, the clock, and the line of JSON
// at the end.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// One line says what went wrong; the report has it.
process.on('uncaughtException', (error) => {
  console.error(error.message.split('\n')[0]);
  process.exit(1);
});

const { values: flags } = parseArgs({
  options: {
    dir: { type: 'string' }, // an exported workload
    format: { type: 'string', default: 'png' },
    seconds: { type: 'string', default: '0' }, // no image is begun after it; 0: all rows are drawn
    warm: { type: 'string', default: '2' }, // seconds of drawing before anything is measured
    keep: { type: 'string' }, // the folder that the first pictures are written to
  },
});

export const { dir, format } = flags;
export const quality = 85;
export const workload = JSON.parse(await readFile(join(dir, 'workload.json'), 'utf8'));
export const rows = JSON.parse(await readFile(join(dir, 'rows.json'), 'utf8'));

// documents are the filled documents of all rows.
export const documents = () => Promise.all(rows.map((_, n) => readFile(join(dir, 'rows', `${n}.html`), 'utf8')));

// version of an installed package.
export const version = async (name) => {
  const entry = createRequire(import.meta.url).resolve.paths(name).map((path) => join(path, name, 'package.json'));
  for (const path of entry) {
    try {
      return JSON.parse(await readFile(path, 'utf8')).version;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${name} is not installed: run npm ci`);
};

// measure draws one row after another, so many in flight, and prints the result.
export async function measure(peer, version, inFlight, draw) {
  const run = async (seconds, take) => {
    const began = performance.now();
    const worker = async () => {
      while (!seconds || performance.now() - began < seconds * 1000) {
        const n = take();
        if (n === undefined) return;
        await take.done(n, await draw(n));
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    return (performance.now() - began) / 1000;
  };
  let next = 0;
  const warm = () => next++ % rows.length;
  warm.done = () => {};
  if (Number(flags.warm) > 0) await run(Number(flags.warm), warm);

  next = 0;
  let images = 0, bytes = 0;
  const timed = () => (next < rows.length ? next++ : undefined);
  timed.done = async (n, data) => {
    images++;
    bytes += data.length;
    const name = `${peer.replace(/[^a-z]+/g, '-')}-${workload.name}-${n}.${format}`;
    if (flags.keep && n < 3) await writeFile(join(flags.keep, name), data);
  };
  const seconds = await run(Number(flags.seconds), timed);
  console.log(JSON.stringify({
    peer, version, workload: workload.name, format, images, seconds, imagesPerSecond: images / seconds, meanBytes: bytes / images,
  }));
}
