// What the doctor finds: the worst first, each with what to do.

import type { System } from '../../api/ops.ts';
import { Mark } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';

const words = { ok: 'Well', warn: 'Warning', error: 'Error' };
const order = { error: 0, warn: 1, ok: 2 };

export function Findings({ of: all }: { of: System['findings'] }) {
  if (all.length === 0) return null;
  const sorted = all.slice().sort((a, b) => order[a.level] - order[b.level]);
  const bad = sorted.filter((f) => f.level !== 'ok');
  const well = sorted.filter((f) => f.level === 'ok');
  return (
    <section aria-labelledby="doctor">
      <h2 id="doctor">Doctor <span class="soft">{bad.length === 0 ? 'finds nothing' : `finds ${counted(bad.length, 'thing')}`}</span></h2>
      {bad.length > 0 && <List of={bad} />}
      {well.length > 0 && <details><summary>{counted(well.length, 'check')} went well</summary><List of={well} /></details>}
    </section>
  );
}

function List({ of: some }: { of: System['findings'] }) {
  return (
    <ul class="findings card">
      {some.map((f) => (
        <li key={f.check + f.message}>
          <Mark level={f.level}>{f.check}<span class="hide">: {words[f.level]}</span></Mark>
          <div><p class="wrap">{f.message}</p>{f.next && <p class="soft wrap">{f.next}</p>}</div>
        </li>
      ))}
    </ul>
  );
}
