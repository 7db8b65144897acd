import { expect, test } from '@playwright/test';

import type { Failure as FailureType } from '../api/client.ts';
import { History } from './history.ts';
import { moved, type Edited, type Op } from './model.ts';
import { Queue, type Edit, type Saving } from './queue.ts';

// The queue talks by fetch: here to a daemon that the test plays.
interface Asked { method: string; revision: string; key: string; body: { ops?: Op[]; html?: string } }

const op = (id: string): Op => ({ op: 'set_text', id, text: id });

function edited(revision: number, inverse: Op[] = []): Edited {
  return { revision, rebased: false, between: [], inverse, touched: [], source: null, tree: { nodes: [], removed: [], problems: [] }, view: null };
}

/** world is a queue, and what was asked of its daemon; answer says how that answers each time. */
function world(answer: (asked: Asked, n: number) => { status: number; data: unknown } | 'lost') {
  const asked: Asked[] = [], states: Saving[] = [], took: [Edit, Edited][] = [], refused: FailureType[] = [], clashed: FailureType[] = [];
  let revision = 1;
  globalThis.addEventListener ??= () => undefined;
  globalThis.removeEventListener ??= () => undefined;
  globalThis.fetch = ((_path: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const one = { method: init.method!, revision: headers.get('If-Match')!, key: headers.get('Idempotency-Key')!, body: JSON.parse(init.body as string) as Asked['body'] };
    asked.push(one);
    const got = answer(one, asked.length);
    if (got === 'lost') return Promise.reject(new TypeError('network'));
    return Promise.resolve(new Response(JSON.stringify(got.data), { status: got.status }));
  }) as typeof fetch;
  const history = new History();
  const queue = new Queue({
    path: '/templates/x/draft', revision: () => revision, view: () => ({}), author: () => '',
    resolve: (edit) => history.resolve(edit),
    took: (edit, a) => {
      revision = a.revision;
      history.took(edit, a.inverse);
      took.push([edit, a]);
    },
    refused: async (_, f) => void refused.push(f), clashed: async (_, f) => void clashed.push(f),
    state: (s) => states.at(-1) === s || states.push(s),
  });
  return { queue, history, asked, states, took, refused, clashed, at: (n: number) => (revision = n) };
}

test('edits go one at a time, each on the revision that the one before made', async () => {
  const w = world((_, n) => ({ status: 200, data: edited(n + 1) }));
  const both = [w.queue.add({ label: 'a', ops: [op('a')] }), w.queue.add({ label: 'b', ops: [op('b')] })];
  expect(await Promise.all(both)).toEqual([true, true]);
  expect(w.asked.map((a) => a.revision)).toEqual(['"1"', '"2"']);
  expect(w.states).toEqual(['saving', 'saved']);
});

test('an answer that was lost is asked for again under the same key, with the same bytes', async () => {
  const w = world((_, n) => (n === 1 ? 'lost' : { status: 200, data: edited(2) }));
  expect(await w.queue.add({ label: 'a', ops: [op('a')] })).toBe(true);
  expect(w.asked).toHaveLength(2);
  expect(w.asked[1]).toEqual(w.asked[0]);
  expect(w.states).toEqual(['saving', 'offline', 'saved']);
});

test('what the daemon refuses is told, and the next edit goes on', async () => {
  const w = world((_, n) => (n === 1 ? { status: 422, data: { detail: 'no', errors: [{ field: 'ops[0].text', message: 'no' }] } } : { status: 200, data: edited(2) }));
  const first = w.queue.add({ label: 'a', ops: [op('a')] }), second = w.queue.add({ label: 'b', ops: [op('b')] });
  expect([await first, await second]).toEqual([false, true]);
  expect(w.refused[0]!.errors[0]!.field).toBe('ops[0].text');
});

test('a conflict holds the queue until somebody decides; mine goes on the newest revision under a new key', async () => {
  const w = world((_, n) => (n === 1 ? { status: 409, data: { detail: 'changed', conflicts: [{ touched: 'a' }] } } : { status: 200, data: edited(9) }));
  const first = w.queue.add({ label: 'a', ops: [op('a')] });
  await expect.poll(() => w.clashed.length).toBe(1);
  const second = w.queue.add({ label: 'b', ops: [op('b')] });
  expect(w.asked).toHaveLength(1);
  expect(w.states.at(-1)).toBe('conflict');
  w.at(8);
  w.queue.release(true);
  expect([await first, await second]).toEqual([true, true]);
  expect(w.asked.map((a) => a.revision)).toEqual(['"1"', '"8"', '"9"']);
  expect(w.asked[1]!.key).not.toBe(w.asked[0]!.key);
});

test('a conflict decided for theirs drops the edit, and only that', async () => {
  const w = world((asked) => (asked.body.ops?.[0]?.id === 'a' ? { status: 409, data: { conflicts: [] } } : { status: 200, data: edited(3) }));
  const first = w.queue.add({ label: 'a', ops: [op('a')] }), second = w.queue.add({ label: 'b', ops: [op('b')] });
  await expect.poll(() => w.clashed.length).toBe(1);
  w.queue.release(false);
  expect([await first, await second]).toEqual([false, true]);
});

test('undo sends what the daemon gave to take the step back, also when it is asked for before the answer', async () => {
  const w = world((asked, n) => ({ status: 200, data: edited(n + 1, asked.body.ops!.map((o) => ({ ...o, text: `back ${n}` }))) }));
  void w.queue.add({ label: 'a', ops: [op('a')] });
  void w.queue.add({ label: 'Undo', back: 'undo' });
  await w.queue.add({ label: 'Redo', back: 'redo' });
  expect(w.asked.map((a) => a.body.ops![0]!.text)).toEqual(['a', 'back 1', 'back 2']);
  expect([w.history.canUndo.value, w.history.canRedo.value]).toEqual([true, false]);
});

test('edits of one field in a row are one step back', async () => {
  const w = world((asked, n) => ({ status: 200, data: edited(n + 1, [op(`undo ${String(asked.body.ops![0]!.id)}`)]) }));
  await w.queue.add({ label: 'Colour', merge: 'colour', ops: [op('1')] });
  await w.queue.add({ label: 'Colour', merge: 'colour', ops: [op('2')] });
  await w.queue.add({ label: 'Undo', back: 'undo' });
  expect(w.asked.at(-1)!.body.ops!.map((o) => o.id)).toEqual(['undo 2', 'undo 1']);
  expect(w.history.canUndo.value).toBe(false);
});

test('undo with nothing to undo asks nothing', async () => {
  const w = world(() => ({ status: 200, data: edited(2) }));
  expect(await w.queue.add({ label: 'Undo', back: 'undo' })).toBe(false);
  expect(w.asked).toEqual([]);
});

test('offsets behind a splice move with it', () => {
  const splice = { from: 10, to: 14, text: 'xx' };
  expect([5, 10, 14, 20].map((n) => moved(n, splice))).toEqual([5, 10, 12, 18]);
});
