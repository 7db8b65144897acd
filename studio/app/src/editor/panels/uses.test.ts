import { expect, test } from '@playwright/test';

import { readsName } from './uses.ts';

test('a variable is read where its name stands as a word', () => {
  for (const e of ['price', 'price * 2', 'price | currency', 'sale ? price : full', 'currency(price)', 'price.net', '"a" ~ price']) expect(readsName(e, 'price'), e).toBe(true);
});

test('a name in a string, behind a dot, or inside another name is none', () => {
  for (const e of ['"price"', 'item.price', 'price2', 'full_price', "'the price' ~ name"]) expect(readsName(e, 'price'), e).toBe(false);
});
