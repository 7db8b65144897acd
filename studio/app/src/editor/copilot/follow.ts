// Following a run as it happens. EventSource comes back by itself where the
// connection is lost, and asks for what came since.

import { kinds, runOf } from '../../api/copilot.ts';
import type { Told } from './events.ts';

/** follow tells of a run's events until it ends or stop is called; lost says that nothing more comes by itself. */
export function follow(run: string, told: (event: Told) => void, live: (on: boolean) => void, lost: () => void): () => void {
  const events = new EventSource(`${runOf(run)}/events`);
  events.addEventListener('open', () => live(true));
  events.addEventListener('error', () => {
    live(false);
    if (events.readyState === EventSource.CLOSED) lost();
  });
  for (const kind of kinds) {
    events.addEventListener(kind, (e) => {
      const { data, lastEventId } = e as MessageEvent<string>;
      if (kind === 'end') events.close();
      told({ seq: Number(lastEventId) || 0, kind, data: JSON.parse(data) as unknown });
    });
  }
  return () => events.close();
}
