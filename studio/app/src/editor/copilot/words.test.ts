import { expect, test } from '@playwright/test';

import type { Run } from '../../api/copilot.ts';
import { progressWords, ratioWords, spentWords, toolWords, viewWords } from './words.ts';

const title = (id: string) => (id === 'title' ? 'The title' : id);

test('a call of a tool is said as what it does', () => {
  expect(toolWords('set_style', { id: 'title', property: 'color', size: 'story' }, title)).toBe('Sets color of The title in story');
  expect(toolWords('set_hidden', { id: 'title', hidden: false }, title)).toBe('Shows The title');
  expect(toolWords('generate_backgrounds', { count: 5 }, title)).toBe('Makes 5 backgrounds');
  expect(toolWords('render_preview', { size: 'story', theme: 'dark' }, title)).toBe('Draws a preview (story, dark)');
  expect(toolWords('get_layer', {}, title)).toBe('Reads a layer');
  expect(toolWords('something_new', {}, title)).toBe('something new');
});

test('a contrast that is too weak never reads as strong enough', () => {
  expect(ratioWords({ ratio: 4.498, need: 4.5 })).toBe('4.4 : 1, needs 4.5 : 1');
  expect(ratioWords({ ratio: 3.8007, need: 4.5 })).toBe('3.8 : 1, needs 4.5 : 1');
  expect(ratioWords({})).toBe('');
});

test('a view is named by what is known of it', () => {
  expect(viewWords({ size: 'story', theme: 'dark', row: 'longest title' })).toBe('story, dark theme, row: longest title');
  expect(viewWords({})).toBe('');
});

test('what was used up is said, cost only where there is one', () => {
  const spent = { steps: 3, calls: 9, turns: 4, tokens: { in: 5300, out: 412 }, images: 1, seconds: 12.4, cost: 0 };
  expect(spentWords(spent)).toEqual(['12 s', '9 tool calls', '5,712 tokens']);
  expect(spentWords({ ...spent, cost: 0.0042 }).at(-1)).toBe('cost 0.004');
  expect(spentWords({ ...spent, tokens: { in: 0, out: 0 } })).toContain('no tokens');
});

test('progress is said by the line of the plan, the end by what is to be done', () => {
  const run = { status: 'running', plan: [{ text: 'Colours', state: 'done' }, { text: 'Dark theme', state: 'doing' }], steps: [{ state: 'pending' }, { state: 'accepted' }] } as unknown as Run;
  expect(progressWords(run, 'Reads the layers')).toBe('Copilot: 2 of 2, Dark theme');
  expect(progressWords({ ...run, status: 'needs_review', summary: 'Done.' }, '')).toBe('Copilot: Waits for your review. 1 step to review. Done.');
  expect(progressWords({ ...run, status: 'waiting', question: { id: 'q', text: 'Which logo?', choices: [] } }, '')).toBe('Which logo?');
  expect(progressWords(null, '')).toBe('');
});
