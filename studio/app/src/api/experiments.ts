// Experiments: what the API answers about them, and their addresses.

import { path } from './client.ts';

export const types = ['ab_test', 'smart_link', 'scheduled'] as const;
export type Type = (typeof types)[number];
export const statuses = ['draft', 'running', 'paused', 'completed'] as const;
export type Status = (typeof statuses)[number];
export type Verdict = 'running' | 'no_clear_winner' | 'unhealthy' | 'low_traffic' | 'winner_ready' | 'low_trust' | 'completed';

/** A Condition is a rule, or a group of them. */
export type Condition =
  | { type: 'group'; operator: 'AND' | 'OR'; children: Condition[] }
  | { type: 'rule'; operator: string; property: string; value?: unknown };

export interface Recurrence {
  type: 'none' | 'daily' | 'weekly' | 'cron';
  cronExpression?: string;
  durationMinutes?: number;
  timezone?: string;
}

export interface Schedule {
  startAt?: string | null;
  endAt?: string | null;
  recurrence?: Recurrence | null;
}

/** A Variant is one of the images that are compared, as it is sent. */
export interface Variant {
  id: string;
  name?: string;
  templateUid: string;
  size?: string;
  theme?: string;
  variables?: Record<string, unknown>;
  weight: number; // basis points
  isDefault?: boolean;
  conditions?: Condition | null;
  schedule?: Schedule | null;
}

/** Stats are what came of a variant, and what may be said of it. */
export interface Stats {
  fetches: number;
  exposures: number; // units, each once
  suspects: number;
  failures: number;
  impressions: number; // events
  views: number;
  clicks: number; // units, each once
  conversions: number; // units that reached the goal, each once
  rate: number | null; // null: it can't be told yet; so are the others
  ci95: [number, number] | null;
  probabilityBest: number | null;
  expectedLoss: number | null;
  lift: number | null; // against the control
  liftInterval: [number, number] | null; // holds however often one looks
  p: number | null;
}

export type VariantState = Variant & {
  currentWeight: number; // of new units, in basis points
  stats: Stats;
  imageUrl?: string; // of the picture that people get
};

export interface Goal {
  type: 'click_through' | 'conversion' | 'impressions_only';
  destinationUrl?: string;
}

export interface Bandit {
  enabled: boolean;
  algorithm?: string;
  warmupImpressions?: number;
  recomputeIntervalMinutes?: number;
  floor?: number;
}

/** A Definition is what somebody wants compared, as it is sent. */
export interface Definition {
  name: string;
  slug: string;
  type: Type;
  hypothesis?: string;
  variants: Variant[];
  goalConfig: Goal;
  coverage?: number;
  minimumSampleSize?: number;
  confidenceThreshold?: number;
  minimumRunDays?: number;
  plannedSampleSize?: number;
  banditConfig?: Bandit | null;
  rollout?: 'manual' | 'automatic';
  outputConfig?: { format?: string; quality?: number };
  fallbackImageUrl?: string;
  rows?: boolean;
}

export interface Decision {
  verdict: Verdict;
  ready: boolean;
  reasons: string[];
  suggestedWinner?: string;
  daysLeft: number | null;
  neededPerVariant: number;
}

export interface Srm {
  p: number | null;
  ok: boolean;
  expected: number[]; // units of each variant
}

/** An Experiment is a definition and its life. */
export type Experiment = Omit<Definition, 'variants'> & {
  id: string;
  revision: number;
  status: Status;
  variants: VariantState[];
  startedAt: string | null;
  endedAt: string | null;
  ranDays: number; // without its pauses
  winner?: string; // what all get, once it is completed
  readySince: string | null;
  origin: string;
  readOnly: boolean; // it stands in the file
  retired?: boolean;
  author?: string;
  createdAt: string;
  updatedAt: string;
  writeKey: string; // may stand in a web page
  urls: { image: string; unitImage: string; click: string; pixel: string; events: string };
  srm: Srm;
  decision: Decision;
  excluded: { bots: number; prefetch: number; duplicates: number };
};

export interface Segment {
  channel: string;
  client: string;
  variant: string;
  fetches: number;
  exposures: number;
  suspects: number;
  clicks: number;
  conversions: number;
}

/** A Day is how a variant stood at its end, with all days before it. */
export interface Day {
  day: string; // of UTC
  variant: string;
  exposures: number;
  conversions: number;
  rate: number | null;
  low: number | null;
  high: number | null;
  probabilityBest: number | null;
}

export interface Allocation {
  at: string;
  weights: number[];
  why: string;
  seed?: string; // of a bandit's draws
}

export interface Results {
  experiment: Experiment;
  segments: Segment[];
  series: Day[];
  allocations: Allocation[];
}


export const addressOf = (e: Pick<Experiment, 'id'>): string => `/studio${path`/experiments/${e.id}`}`;
export const doorOf = (e: Pick<Experiment, 'id'>): string => path`/experiments/${e.id}`;

/** nameOf is what people call a variant. */
export const nameOf = (v: Pick<Variant, 'id' | 'name'>): string => v.name || v.id;

/** controlOf is the variant that the others are compared with. */
export const controlOf = <V extends Variant>(e: { variants: V[] }): V | undefined => e.variants.find((v) => v.isDefault) ?? e.variants[0];
