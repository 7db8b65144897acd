// The way of a row, stage by stage, from what the binding, its source and its
// sinks say of themselves.

import type { Health } from '../../api/health.ts';
import type { Connection, Stage } from '../../api/ops.ts';
import type { Binding } from '../../api/types.ts';
import { count, counted } from '../../ui/words.ts';
import { standing } from '../connection/health.ts';

const between = (from: string | null | undefined, to: string | null | undefined): number | null => {
  const ms = from && to ? new Date(to).getTime() - new Date(from).getTime() : -1;
  return ms >= 0 ? ms : null;
};

const worse: Health[] = ['error', 'warn', 'paused', 'ok'];

function ofSource(b: Binding, source: Connection | undefined): Stage {
  const is = source ? standing(source) : { state: 'ok' as const, cause: '', next: '' };
  const lag = b.freshness?.lagSeconds ?? null;
  return { name: 'source', level: is.state, cause: is.cause, next: is.next, link: `/sources/${encodeURIComponent(b.source)}`, latencyMs: lag === null ? null : lag * 1000, at: source?.freshness?.changedAt ?? null, detail: 'since its rows were confirmed' };
}

function ofFetch(source: Connection | undefined): Stage {
  const f = source?.freshness;
  const broken = Boolean(f?.error);
  return { name: 'fetch', level: broken ? (f!.failures >= 3 ? 'error' : 'warn') : 'ok', cause: f?.error, latencyMs: f?.reading ? null : between(f?.beganAt, f?.endedAt), at: f?.endedAt ?? null, detail: f?.reading ? 'a reading is under way' : 'the last reading took' };
}

function ofMap(b: Binding): Stage {
  const kept = b.quarantined;
  return { name: 'map', level: b.error ? 'error' : b.held || kept > 0 ? 'warn' : 'ok', latencyMs: null, at: b.readAt,
    cause: b.error || (b.held ? `the guard holds ${counted(b.held.changes, 'change')} and ${counted(b.held.removals, 'removal')}` : kept > 0 ? `${counted(kept, 'row')} kept out` : ''),
    next: b.error ? 'Correct the configuration.' : b.held ? 'Look at what is held, and accept it.' : kept > 0 ? 'Look at what is kept out.' : undefined,
    link: `/bindings/${encodeURIComponent(b.name)}/${b.error ? 'config' : b.held ? 'guard' : 'rows?show=kept'}`, detail: counted(b.items, 'row') };
}

function ofRender(b: Binding): Stage {
  const waits = b.freshness?.oldestWantedSeconds ?? 0;
  return { name: 'render', level: b.failed > 0 ? 'warn' : 'ok', latencyMs: waits > 0 ? waits * 1000 : null, at: b.freshness?.oldestWantedAt ?? null, link: `/bindings/${encodeURIComponent(b.name)}/rows${b.failed > 0 ? '?show=failed' : ''}`,
    cause: b.failed > 0 ? `${counted(b.failed, 'image')} could not be made` : '', next: b.failed > 0 ? 'See why, and mend the rows or the template.' : undefined,
    detail: b.waiting > 0 ? `${count(b.waiting)} waiting, the oldest for so long` : `${count(b.ready)} ready, none waits` };
}

function ofDeliver(b: Binding, sinks: Connection[]): Stage {
  const own = sinks.filter((s) => b.sinks.includes(s.name));
  const [bad] = own.map((s) => ({ name: s.name, ...standing(s) })).sort((x, y) => worse.indexOf(x.state) - worse.indexOf(y.state));
  const arrived = own.map((s) => s.delivery?.arrivedAt ?? '').sort().at(-1);
  const waiting = own.reduce((sum, s) => sum + (s.delivery?.waiting ?? 0), 0);
  return { name: 'deliver', level: bad?.state ?? 'ok', latencyMs: null, at: arrived || null, cause: bad?.cause ? `${bad.name}: ${bad.cause}` : '', next: bad?.next, link: bad?.cause ? `/sinks/${encodeURIComponent(bad.name)}` : '/deliveries?binding=' + encodeURIComponent(b.name),
    detail: b.sinks.length === 0 ? 'no sink: images are served' : `${count(waiting)} waiting, for ${counted(b.sinks.length, 'sink')}` };
}

/** stagesOf is the way of a row of a binding. */
export const stagesOf = (b: Binding, source: Connection | undefined, sinks: Connection[]): Stage[] => [ofSource(b, source), ofFetch(source), ofMap(b), ofRender(b), ofDeliver(b, sinks)];
