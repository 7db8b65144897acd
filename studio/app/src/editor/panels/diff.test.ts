import { expect, test } from '@playwright/test';

import { linesOf } from './diff.ts';

test('a diff keeps its lines and loses the names of its files', () => {
  expect(linesOf('--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n--- not a name\n')).toEqual([
    { kind: 'place', text: '@@ -1 +1 @@' }, { kind: 'gone', text: 'old' }, { kind: 'new', text: 'new' }, { kind: 'same', text: 'same' }, { kind: 'gone', text: '-- not a name' },
  ]);
});
