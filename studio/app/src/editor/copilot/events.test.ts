import { expect, test } from '@playwright/test';

import type { Run, RunStep } from '../../api/copilot.ts';
import { apply, begin, caughtUp, shown, type Progress, type Told } from './events.ts';

const fresh: Run = {
  id: 'r1', template: 'card', message: 'Make a dark-mode variant', author: '', model: 'rules', layers: [], status: 'running', plan: [], steps: [], candidates: [], variants: [], findings: [],
  base: 1, revision: 4, budget: { steps: 12, calls: 60, tokens: 0, seconds: 120, images: 6 }, spent: { steps: 0, calls: 0, turns: 0, tokens: { in: 0, out: 0 }, images: 0, seconds: 0, cost: 0 }, createdAt: '2026-01-01T00:00:00Z',
};

const step = (number: number, state: RunStep['state'] = 'pending'): RunStep => ({ number, title: `step ${number}`, state, revision: 4 + number, ops: [], notes: [], changed: [], diff: '', findings: [], at: '' });
const plan = (...states: ('todo' | 'doing' | 'done')[]) => ({ items: states.map((state, i) => ({ text: `item ${i + 1}`, state, ...(state === 'done' ? { step: i + 1 } : {}) })) });

const story: Told[] = [
  { seq: 1, kind: 'run', data: fresh },
  { seq: 2, kind: 'plan', data: plan('doing', 'todo') },
  { seq: 3, kind: 'step.start', data: { step: 1, title: 'item 1' } },
  { seq: 4, kind: 'tool', data: { step: 1, name: 'tokenize_colors', arguments: {} } },
  { seq: 5, kind: 'check', data: { step: 1, findings: [{ code: 'contrast', level: 'error', layer: 'title', ratio: 3.8, need: 4.5, message: 'too weak' }] } },
  { seq: 6, kind: 'look', data: { step: 1, picture: 'look-1.png', size: 'default' } },
  { seq: 7, kind: 'step', data: step(1) },
  { seq: 8, kind: 'plan', data: plan('done', 'doing') },
  { seq: 9, kind: 'step.start', data: { step: 2, title: 'item 2' } },
  { seq: 10, kind: 'tool', data: { step: 2, name: 'set_token', arguments: '{"name":"ink","theme":"dark"}', error: 'no such token' } },
  { seq: 11, kind: 'check', data: { step: 2, findings: [] } },
  { seq: 12, kind: 'step', data: step(2) },
  { seq: 13, kind: 'plan', data: plan('done', 'done') },
  { seq: 14, kind: 'candidates', data: { candidates: [{ name: 'mesh', title: 'Mesh', ops: [] }] } },
  { seq: 15, kind: 'variant', data: { name: 'dark', theme: 'dark' } },
  { seq: 16, kind: 'usage', data: { ...fresh.spent, calls: 6, seconds: 2.5 } },
  { seq: 17, kind: 'end', data: { status: 'needs_review', summary: 'A dark theme.' } },
  { seq: 18, kind: 'step', data: step(1, 'accepted') },
];

const fold = (events: Told[], from: Progress = begin(fresh, false)) => events.reduce(apply, from);

/** shuffled is an order of its own for each seed. */
function shuffled<T>(list: T[], seed: number): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    const j = seed % (i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

test('a run is what its events tell', () => {
  const p = fold(story), run = shown(p)!;
  expect(run.status).toBe('needs_review');
  expect(run.summary).toBe('A dark theme.');
  expect(run.plan.map((i) => [i.state, i.step])).toEqual([['done', 1], ['done', 2]]);
  expect(run.steps.map((s) => [s.number, s.state])).toEqual([[1, 'accepted'], [2, 'pending']]);
  expect(run.candidates.map((c) => c.name)).toEqual(['mesh']);
  expect(run.variants).toEqual([{ name: 'dark', theme: 'dark' }]);
  expect(run.spent.calls).toBe(6);
  expect(run.findings).toEqual([]);
  expect(p.acts.map((a) => a.tool?.name ?? a.look?.picture)).toEqual(['tokenize_colors', 'look-1.png', 'set_token']);
  expect(p.acts[2]!.tool).toEqual({ name: 'set_token', arguments: { name: 'ink', theme: 'dark' }, error: 'no such token' });
});

test('events that come twice, or in another order, come to the same', () => {
  const want = fold(story);
  expect(fold([...story, ...story])).toEqual(want);
  for (let seed = 1; seed <= 200; seed++) {
    const got = fold(shuffled([...story, ...story.slice(seed % story.length)], seed));
    expect(shown(got), `order ${seed}`).toEqual(shown(want));
    expect(got.acts, `order ${seed}`).toEqual(want.acts);
  }
});

test('a later word about the whole run keeps what newer events told of its parts', () => {
  const whole: Told = { seq: 6, kind: 'run', data: { ...fresh, status: 'waiting', steps: [], plan: [] } };
  const p = fold([story[0]!, story[6]!, story[7]!, whole]);
  expect(shown(p)!.status).toBe('waiting');
  expect(shown(p)!.steps).toHaveLength(1);
  expect(shown(p)!.plan).toHaveLength(2);
});

test('a step that was taken back stays so when an older word about it comes late', () => {
  const back: Told = { seq: 20, kind: 'step', data: step(1, 'rejected') };
  expect(shown(fold([...story.slice(0, 6), back, ...story.slice(6)]))!.steps[0]!.state).toBe('rejected');
});

test('a question is there until the run goes on', () => {
  const ask: Told = { seq: 5, kind: 'ask', data: { id: 'q1', text: 'Which?', choices: ['a', 'b'] } };
  const asked = fold([...story.slice(0, 4), ask, { seq: 6, kind: 'run', data: { ...fresh, status: 'waiting', question: ask.data } }]);
  expect(shown(asked)!.question?.id).toBe('q1');
  expect(shown(asked)!.status).toBe('waiting');
  const on = apply(asked, { seq: 7, kind: 'run', data: fresh });
  expect(shown(on)!.question).toBeUndefined();
  expect(shown(on)!.status).toBe('running');
});

test('what the model says is shown, kept by nobody, and gone with the next step', () => {
  const p = fold([story[0]!, { seq: 0, kind: 'text', data: { text: 'I look at the colours first.' } }]);
  expect(p.says).toBe('I look at the colours first.');
  expect(apply(p, story[2]!).says).toBe('');
});

test('a page that is opened in the middle never shows less than was there', () => {
  const read = shown(fold(story.slice(0, 9)))!; // as GET answers
  let p = begin(read, true);
  for (const event of story.slice(0, 12)) {
    p = apply(p, event);
    expect(shown(p)!.steps.length, `after ${event.seq}`).toBeGreaterThanOrEqual(1);
    expect(shown(p)!.plan[0]!.state, `after ${event.seq}`).toBe('done');
  }
  expect(p.behind).toBeNull();
  expect(shown(p)!.steps).toHaveLength(2);
  expect(p.acts).toHaveLength(3); // what was done before is known too
});

test('a run that was read is shown until its events have come, or nothing more is to come', () => {
  const read = shown(fold(story.slice(0, 13)))!;
  const p = apply(begin(read, true), story[0]!);
  expect(shown(p)).toEqual(read);
  expect(shown(caughtUp(p))!.steps).toEqual([]);
});
