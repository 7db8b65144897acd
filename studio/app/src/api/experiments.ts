// Experiments: what the API answers about them, and their addresses.

import { path } from './client.ts';
import type { components } from './schema.ts';

type Schemas = components['schemas'];

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

type Range = [low: number, high: number];

/** Stats are what came of a variant, and what may be said of it. */
export type Stats = Omit<Schemas['VariantStats'], 'ci95' | 'liftInterval'> & {
  ci95: Range | null;
  liftInterval: Range | null; // against the control; holds however often one looks
};

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

export type Decision = Omit<Schemas['ExperimentDecision'], 'verdict'> & { verdict: Verdict };
export type Srm = Schemas['SampleRatio'];

/** An Experiment is a definition and its life. */
export type Experiment = Omit<Schemas['Experiment'], keyof Definition | 'status' | 'decision'> & Omit<Definition, 'variants'> & { status: Status; variants: VariantState[]; decision: Decision };

export type Segment = Schemas['ExperimentSegment'];

/** A Day is how a variant stood at its end, with all days before it. */
export type Day = Schemas['ExperimentDay'];
export type Allocation = Schemas['ExperimentAllocation'];

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
