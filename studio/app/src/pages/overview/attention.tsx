// What needs somebody: why, what to do, and the button that does it.

import type { Need } from '../../api/health.ts';
import { Proposed, within } from '../../ui/order.tsx';
import { Mark } from '../../ui/show.tsx';
import { capital, counted } from '../../ui/words.ts';

const words = { warn: 'Warning', error: 'Error', paused: 'Paused' };

export function Attention({ needs, more }: { needs: Need[]; more: number }) {
  if (needs.length === 0) return null;
  return (
    <section aria-labelledby="attention">
      <h2 id="attention">Needs attention <span class="soft">{counted(needs.length + more, 'thing')}</span></h2>
      <ul class="attention">
        {needs.map((need) => (
          <li key={need.id} class="card" data-level={need.level}>
            <div class="said">
              <h3><Mark level={need.level}><span class="hide">{words[need.level]}: </span></Mark><a href={within(need.link)}>{capital(need.title)}</a></h3>
              <p class="cause wrap">{capital(need.cause)}</p>
              {need.next && <p class="soft wrap">{capital(need.next)}</p>}
            </div>
            <div class="row">
              {need.action ? <Proposed order={need.action} /> : <a class="button" href={within(need.link)}>Look at it</a>}
            </div>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="soft">… and {counted(more, 'more thing')}; the lists of <a href="/studio/bindings?state=error">bindings</a>, <a href="/studio/sources">sources</a>, <a href="/studio/sinks">sinks</a> and <a href="/studio/experiments?status=running">experiments</a> have them all.</p>}
    </section>
  );
}
