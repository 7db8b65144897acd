// The copilot: what the API answers about its runs, and their addresses.

import { path, query } from './client.ts';
import type { Op } from '../editor/model.ts';

export type RunStatus = 'running' | 'waiting' | 'needs_review' | 'accepted' | 'discarded' | 'failed' | 'cancelled';

/** A RunProblem says why a run ended before it was done. */
export interface RunProblem {
  code: string;
  message: string;
  hint?: string;
}

/** An Item is one line of the plan. */
export interface Item {
  text: string;
  state: 'todo' | 'doing' | 'done' | 'skipped';
  step?: number; // that it became, from 1
}

/** A RunFinding is something that the checks found. */
export interface RunFinding {
  code: string;
  level: 'error' | 'warning';
  layer?: string;
  size?: string;
  theme?: string;
  row?: string; // what the row is hard by
  ratio?: number;
  need?: number;
  message: string;
}

/** A RunStep is one change of the draft, which can be taken back. */
export interface RunStep {
  number: number; // from 1
  title: string;
  state: 'pending' | 'accepted' | 'rejected';
  revision: number; // of the draft, that it led to
  ops: Op[];
  notes: string[];
  changed: string[]; // layers
  diff: string;
  size?: string; // that the pictures are of
  theme?: string;
  before?: string; // names of pictures
  after?: string;
  findings: RunFinding[]; // after it
  at: string;
}

/** A Candidate is one of several ways to go on, of which a person picks one. */
export interface Candidate {
  name: string;
  title: string;
  ops: Op[];
  picture?: string;
  picked?: number; // the step that it became
}

/** A RunVariant is a way to show the template that an experiment can compare with it. */
export interface RunVariant {
  name: string;
  theme?: string;
  size?: string;
}

export interface Question {
  id: string;
  text: string;
  choices: string[];
}

export interface Spent {
  steps: number;
  calls: number;
  turns: number;
  tokens: { in: number; out: number };
  images: number;
  seconds: number;
  cost: number; // in the currency of the model's price
}

/** A Run is one message to the copilot and what came of it. */
export interface Run {
  id: string;
  template: string;
  message: string;
  author: string;
  model: string;
  size?: string;
  theme?: string;
  layers: string[];
  status: RunStatus;
  summary?: string;
  problem?: RunProblem;
  plan: Item[];
  steps: RunStep[];
  candidates: Candidate[];
  variants: RunVariant[];
  question?: Question;
  findings: RunFinding[];
  base: number;
  revision: number;
  budget: { steps: number; calls: number; tokens: number; seconds: number; images: number };
  spent: Spent;
  createdAt: string;
  endedAt?: string;
}

/** A Model is one that runs can take. */
export interface Model {
  name: string; // as pictifyd.yaml calls it
  provider: string;
  model: string;
  tools: boolean;
  vision: boolean;
  price: { in: number; out: number }; // for a million tokens
  default: boolean;
}

/** The kinds of events of a run, as the daemon names them. */
export const kinds = ['run', 'plan', 'text', 'step.start', 'tool', 'look', 'check', 'step', 'candidates', 'variant', 'ask', 'usage', 'end'] as const;
export type Kind = (typeof kinds)[number];

/** isOpen reports whether the copilot works on it. */
export const isOpen = (r: Pick<Run, 'status'>): boolean => r.status === 'running' || r.status === 'waiting';

/** isReviewable reports whether its steps can be accepted and taken back. */
export const isReviewable = (r: Pick<Run, 'status'>): boolean => r.status === 'needs_review' || r.status === 'failed' || r.status === 'cancelled';

/** filled is a step with a list where it has nothing. */
export const filled = (s: RunStep): RunStep => ({ ...s, ops: s.ops ?? [], notes: s.notes ?? [], changed: s.changed ?? [], findings: s.findings ?? [] });

/** filledRun is a run with a list where it has nothing. */
export const filledRun = (r: Run): Run => ({
  ...r, layers: r.layers ?? [], plan: r.plan ?? [], steps: (r.steps ?? []).map(filled), candidates: r.candidates ?? [], variants: r.variants ?? [], findings: r.findings ?? [],
  question: r.question && { ...r.question, choices: r.question.choices ?? [] },
});

export const runsOf = (template: string, page: { limit?: number; after?: string } = {}): string => '/copilot/runs' + query({ template, ...page });
export const runOf = (id: string): string => path`/copilot/runs/${id}`;
export const pictureOf = (run: string, name: string): string => path`/copilot/runs/${run}/pictures/${name}`;
