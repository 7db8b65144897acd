import { card, Editing } from './editor.ts';
import { expect, test } from './daemon.ts';

test('a drag moves a layer by one operation, and undo leads to the first byte', async ({ page, daemon }) => {
  const e = await Editing.open(page, daemon, 'drag', card);
  await e.drag([160, 140], [260, 190], ['Control']);
  await expect.poll(() => e.style('red')).toContain('left: 200px; top: 150px');
  await e.press('Control+z');
  await expect.poll(() => e.source()).toBe(card);
  await e.press('Control+Shift+z');
  await expect.poll(() => e.style('red')).toContain('left: 200px; top: 150px');
  await expect(e.layer('red')).toHaveCSS('left', '200px');
});
