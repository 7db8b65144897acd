// What operators look at: connections, pipelines, readings, the system.

import type { components } from './schema.ts';
import type { Health, Queue } from './health.ts';

type Schemas = components['schemas'];

export type Connection = Schemas['Connection'];
export type Stream = Schemas['Stream'];
export type SinkTest = Schemas['SinkTest'];
export type SinkState = Schemas['SinkState'];
export type Guard = Schemas['Guard'];
export type HeldRow = Schemas['HeldRow'];
export type Preview = Schemas['Preview'];
export type Poison = Schemas['Poison'];
export type RowPage = Schemas['RowPage'];
export type Row = Schemas['Row'];
export type RowHistory = Schemas['RowHistory'];
export type Key = Schemas['Key'];
export type NewKey = Schemas['NewKey'];
export type Deletion = Schemas['Deletion'];

export type Values = Record<string, unknown>;

/** A Stage is one step of a binding's way from the row to whoever is told. */
export type Pipeline = Schemas['Pipeline'];
export type Stage = Omit<Pipeline['stages'][number], 'level' | 'name'> & { name: 'source' | 'fetch' | 'map' | 'render' | 'deliver'; level: Health };

export interface SourceReading {
  id: number | string;
  beganAt: string;
  endedAt: string | null;
  tookMs: number | null;
  rows: number;
  added: number;
  changed: number;
  removed: number;
  unchanged: number;
  faults: number;
  complete: boolean;
  reason?: string;
  error?: string;
  guard?: { changes: number; removals: number; reason: string };
}

export interface RowChange {
  key: string;
  name: string;
  change: 'added' | 'changed' | 'removed';
  columns: { name: string; before?: unknown; after?: unknown }[];
}

export interface Changes {
  reading: number | string | null;
  endedAt: string | null;
  before: string | null;
  changes: RowChange[];
  more: number;
}

export interface Kind {
  kind: string;
  summary: string;
  callers: boolean;
  schema: unknown;
}

export interface TestStep {
  name: string;
  ok: boolean;
  skipped?: boolean;
  message: string;
  hint?: string;
  code?: string;
  path?: string;
  more?: number; // problems that are left out
}

export interface ConnectionTest {
  ok: boolean;
  steps: TestStep[];
  durationMs: number;
  columns: string[];
  sampleRows: Values[];
  key: string[];
  advice?: string[]; // what would make its readings better
  test?: Schemas['SinkTest'] | null; // of a sink: what was sent and answered
}

export interface Browser {
  id: string | number;
  state: string;
  version: string;
  pid: number;
  startedAt: string | null;
  served: number;
  restarts: number;
  rssBytes: number;
  current?: string | number;
  error?: string;
}

export type Process = Omit<Schemas['ProcessState'], 'state'> & { state: 'well' | 'late' | 'gone' };

export interface System {
  version: string;
  goVersion: string;
  platform: string;
  startedAt: string;
  uptimeSeconds: number;
  ledger: { kind: string; schema: number | string };
  chrome: { lanes: { staged: boolean; agreed: number; refused: number }; browsers: Browser[] } | null;
  queue: Queue & { byPriority?: Record<string, number> };
  caches: { name: string; entries: number; bytes?: number; hits: number; misses: number }[];
  storage: { ledgerBytes: number; blobs: { bytes: number; files: number; supersededBytes: number; measuredAt: string | null }; freeBytes: number; totalBytes: number };
  keys: { file: number; made: number };
  config: unknown;
  findings: { check: string; level: 'ok' | 'warn' | 'error'; message: string; next?: string }[];
  processes: Process[];
  at: string;
}
