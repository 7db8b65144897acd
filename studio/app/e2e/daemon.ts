// A daemon of its own for a test, in a folder of its own: the same binary that
// people run, with real Chrome.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { test as base } from '@playwright/test';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = process.env.PICTIFYD_E2E_BINARY ?? join(root, 'bin/pictifyd');

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

export interface World {
  config?: string; // YAML behind server: and store:
  files?: Record<string, string>; // by path in its folder
  templates?: string[]; // folders of templates below the repository's root, copied to templates/
  keys?: string; // YAML of server.keys
}

/** A Daemon runs in its folder, on a port that it keeps over restarts. */
export class Daemon {
  private process: ChildProcess | undefined;
  log = '';

  private constructor(readonly folder: string, readonly port: number) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(world: World): Promise<Daemon> {
    const folder = mkdtempSync(join(tmpdir(), 'pictifyd-e2e-'));
    const daemon = new Daemon(folder, await freePort());
    mkdirSync(join(folder, 'templates'));
    for (const from of world.templates ?? []) cpSync(join(root, from), join(folder, 'templates'), { recursive: true });
    for (const [name, text] of Object.entries(world.files ?? {})) daemon.write(name, text);
    daemon.write('pictifyd.yaml', `server:\n  listen: 127.0.0.1:${daemon.port}\n${world.keys ? `  keys:\n${world.keys.replace(/^/gm, '    ')}\n` : ''}templates: { path: templates }\nstore: { url: "sqlite:data/pictifyd.db" }\nblobs: { url: "file:data/images" }\n${world.config ?? ''}`);
    await daemon.run();
    return daemon;
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  async run(): Promise<void> {
    const child = spawn(binary, ['run', '-c', 'pictifyd.yaml'], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    child.stdout.on('data', (text: Buffer) => (this.log += text.toString()));
    child.stderr.on('data', (text: Buffer) => (this.log += text.toString()));
    for (;;) {
      if (child.exitCode !== null) throw new Error(`pictifyd ended with ${child.exitCode}:\n${this.log}`);
      const ready = await fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
      if (ready) return;
      await new Promise((next) => setTimeout(next, 50));
    }
  }

  async stop(how: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(how);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** ask asks the API as a program would. */
  async ask<T>(path: string, init: RequestInit & { json?: unknown } = {}): Promise<T> {
    const { json, ...rest } = init;
    if (json !== undefined) {
      rest.body = JSON.stringify(json);
      rest.headers = { 'Content-Type': 'application/json', ...rest.headers };
      rest.method ??= 'POST';
    }
    const answer = await fetch(this.url + path, rest);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** test has a daemon of the world that a file says by test.use({ world }), shared by the tests of a file. */
export const test = base.extend<object, { world: World; daemon: Daemon }>({
  world: [{}, { option: true, scope: 'worker' }],
  daemon: [async ({ world }, give) => {
    const daemon = await Daemon.start(world);
    await give(daemon);
    await daemon.remove();
  }, { scope: 'worker', timeout: 120_000 }],
  baseURL: ({ daemon }, give) => give(daemon.url),
});

export { expect } from '@playwright/test';
