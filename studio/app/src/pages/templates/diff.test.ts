import { expect, test } from '@playwright/test';

import { linesOf } from './diff.tsx';

test('a unified diff is lines with what became of them', () => {
  const diff = '--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n';
  expect(linesOf(diff)).toEqual([
    { kind: 'place', text: '@@ -1,2 +1,2 @@' }, { kind: 'same', text: 'same' }, { kind: 'removed', text: 'old' }, { kind: 'added', text: 'new' },
  ]);
});
