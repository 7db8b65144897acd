// How everything is, as GET /overview and /events say it.

import type { Overview } from './types.ts';

export type Health = 'ok' | 'warn' | 'error' | 'paused';

/** An Order is a request that mends something: a button's. */
export interface Order {
  label: string;
  method: 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  confirm?: string;
}

/** A Need is something that waits for a person. */
export interface Need {
  id: string;
  level: Exclude<Health, 'ok'>;
  subject: { kind: 'binding' | 'source' | 'sink' | 'job' | 'experiment' | 'system'; name: string };
  title: string;
  cause: string;
  next: string;
  link: string;
  action?: Order;
}

export interface Queue {
  depth: number;
  waiting: number;
  drawing: number;
  resting: number;
  etaSeconds: number | null;
}

export interface Tiles {
  bindings: Record<Health, number>;
  oldestLagSeconds: number | null;
  oldestLagSource?: string;
  queue: Queue;
  rendersPerMinute: number;
  p50Ms: number | null;
  p95Ms: number | null;
  renders: { count: number; seconds: number };
  failures24h: number;
  deadLetters: number;
  deliveriesWaiting: number;
  deliveriesFailing: number;
  sinks: number;
  chrome: { used: number; size: number; failed: number } | null;
  disk: { freeBytes: number; bytes: number; measuredAt: string | null; low: boolean };
}

/** A State is the overview with what it says of its own health. */
export type State = Overview & {
  at: string;
  health: { level: Health; sentence: string };
  attention: Need[];
  attentionMore: number;
  tiles: Tiles;
};
