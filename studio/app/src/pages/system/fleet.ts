// What there is to say of the processes that share a ledger.

import type { Process } from '../../api/ops.ts';
import type { Level } from '../../ui/show.tsx';
import { counted, span } from '../../ui/words.ts';

export const stateWords: Record<Process['state'], string> = { well: 'Well', late: 'No sign of life', gone: 'Gone' };
export const stateLevels: Record<Process['state'], Level> = { well: 'ok', late: 'error', gone: 'quiet' };

/** alone is the one process that does everything; undefined where there are, or lately were, others. */
export const alone = (all: Process[]): Process | undefined => (all.length === 1 ? all[0] : undefined);

const atWork = (all: Process[]): Process[] => all.filter((p) => p.state !== 'gone');

/** fleetWords is how many share the ledger, and which of them holds it. */
export function fleetWords(all: Process[]): string {
  const holder = all.find((p) => p.holder);
  return `${counted(atWork(all).length, 'process', 'processes')} at work on this ledger; ${holder ? `${holder.place} holds it` : 'nobody holds it'}.`;
}

export const roleWords = (p: Process): string => (p.roles.length === 4 ? 'all' : p.roles.join(', '));

/** heardWords is how long before at a process gave its last sign of life. */
export function heardWords(p: Process, at: string): string {
  if (!p.heardAt) return 'nobody can say';
  const seconds = (new Date(at).getTime() - new Date(p.heardAt).getTime()) / 1000;
  return seconds < 1 ? 'now' : `${span(seconds)} ago`;
}

/** isOther tells whether a process at work is of another version than the one that holds the ledger. */
export function isOther(p: Process, all: Process[]): boolean {
  const holder = all.find((one) => one.holder);
  return p.state !== 'gone' && holder !== undefined && p.version !== holder.version;
}

/** handParts are what a process has in hand, each with the list where it is. */
export function handParts(p: Process): { words: string; link: string }[] {
  const { renders, deliveries } = p.inHand;
  return [
    ...(renders > 0 ? [{ words: counted(renders, 'picture'), link: '/studio/jobs' }] : []),
    ...(deliveries > 0 ? [{ words: counted(deliveries, 'delivery', 'deliveries'), link: '/studio/deliveries' }] : []),
  ];
}
