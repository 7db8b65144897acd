// How a connection is: one word and its cause.

import type { Connection, SinkState } from '../../api/ops.ts';
import type { Health } from '../../api/health.ts';
import { span } from '../../ui/words.ts';

export interface Standing {
  state: Health;
  cause: string;
  next: string;
}

const since = (time: string | null | undefined) => (time ? span((Date.now() - new Date(time).getTime()) / 1000) : '');

function ofSink(d: SinkState | null | undefined): Standing {
  switch (d?.state) {
    case 'failing':
      return { state: 'warn', cause: `Nothing has arrived for ${since(d.failingSince)}: ${d.failures ?? 0} deliveries failed one after the other`, next: 'Test it below: the answer says what is wrong. Deliveries are tried again by themselves.' };
    case 'resting':
      return { state: 'error', cause: `It rests after ${d.failures ?? 0} failures in a row${d.restingUntil ? `, and is tried again in ${span(Math.max(0, (new Date(d.restingUntil).getTime() - Date.now()) / 1000))}` : ''}`, next: 'Mend the receiver, then resume it to have all that waits sent at once.' };
    case 'disabled':
      return { state: 'error', cause: `It is disabled: ${d.reason ?? 'nothing has arrived for too long'}`, next: 'Mend the receiver, test it, then resume it: what waits goes out.' };
    case 'paused':
      return { state: 'paused', cause: 'A person has paused it: what waits stays', next: 'Resume it to have all that waits sent.' };
    default:
      return { state: 'ok', cause: '', next: '' };
  }
}

/** standing is how a source or a sink is, and what to do about it. */
export function standing(c: Connection): Standing {
  if (c.error) return { state: 'error', cause: c.error, next: c.readOnly ? 'Correct it in pictifyd.yaml, which is read again by itself.' : 'Correct its configuration below.' };
  if (c.delivery) return ofSink(c.delivery);
  const f = c.freshness;
  if (f && f.state !== 'ok') {
    const halted = c.stream?.halted?.next ?? c.stream?.warning?.next;
    return { state: f.state as Health, cause: f.cause ?? '', next: halted ?? (f.quarantined > 0 ? 'Look at what is kept out; replay it when it is mended.' : 'Test the connection below: its steps say what is wrong.') };
  }
  const warning = c.warnings?.[0];
  if (warning) return { state: 'warn', cause: warning, next: '' };
  return { state: 'ok', cause: '', next: '' };
}
