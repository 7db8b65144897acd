// An experiment as a form holds it, and as it is sent.

import type { Bandit, Condition, Definition, Experiment, Goal, Schedule, Type, Variant } from '../../../api/experiments.ts';
import { joined, without } from './weights.ts';

/** A Draft is an experiment while it is filled in. */
export interface Draft {
  name: string;
  slug: string;
  ownSlug: boolean; // somebody has set it
  type: Type;
  hypothesis: string;
  variants: DraftVariant[];
  goal: Goal;
  coverage: number; // basis points
  minimumSampleSize: string; // numbers are texts while they are typed; "" is the default
  confidence: string; // percent
  minimumRunDays: string;
  plannedSampleSize: string;
  bandit: boolean;
  warmup: string;
  interval: string; // minutes
  floor: string; // percent
  rollout: 'manual' | 'automatic';
  format: string;
  quality: string;
  fallbackImageUrl: string;
  rows: boolean;
}

export interface DraftVariant {
  key: number; // for the page
  id: string; // "" as long as it follows the name
  name: string;
  templateUid: string;
  size: string;
  theme: string;
  variables: Record<string, unknown>;
  weight: number;
  control: boolean;
  conditions: Condition | null;
  schedule: Schedule | null;
}

let keys = 0;

const letters = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];

/** blank is a variant with nothing but the next name. */
export const blank = (variants: DraftVariant[], weight: number, control = false): DraftVariant => ({
  key: ++keys, id: '', name: letters.find((l) => !variants.some((v) => v.name === l)) ?? `Variant ${variants.length + 1}`, templateUid: '', size: '', theme: '', variables: {}, weight, control, conditions: null, schedule: null,
});

/** fresh is a draft with two variants of a template. */
export function fresh(template = ''): Draft {
  const first = { ...blank([], 5000, true), templateUid: template };
  return {
    name: '', slug: '', ownSlug: false, type: 'ab_test', hypothesis: '', variants: [first, { ...blank([first], 5000), templateUid: template }], goal: { type: 'click_through' }, coverage: 10_000,
    minimumSampleSize: '', confidence: '', minimumRunDays: '', plannedSampleSize: '', bandit: false, warmup: '', interval: '', floor: '', rollout: 'manual', format: 'png', quality: '', fallbackImageUrl: '', rows: false,
  };
}

const text = (n: number | undefined | null): string => (n ? String(Number(n.toFixed(6))) : '');

/** draftOf is an experiment, to be changed. */
export function draftOf(e: Experiment): Draft {
  const b = e.banditConfig;
  return {
    name: e.name, slug: e.slug, ownSlug: true, type: e.type, hypothesis: e.hypothesis ?? '', goal: e.goalConfig, coverage: e.coverage || 10_000,
    variants: e.variants.map((v) => ({ key: ++keys, id: v.id, name: v.name || v.id, templateUid: v.templateUid, size: v.size ?? '', theme: v.theme ?? '', variables: v.variables ?? {}, weight: v.weight, control: v.isDefault ?? false, conditions: v.conditions ?? null, schedule: v.schedule ?? null })),
    minimumSampleSize: text(e.minimumSampleSize), confidence: text((e.confidenceThreshold ?? 0) * 100), minimumRunDays: text(e.minimumRunDays), plannedSampleSize: text(e.plannedSampleSize),
    bandit: b?.enabled ?? false, warmup: text(b?.warmupImpressions), interval: text(b?.recomputeIntervalMinutes), floor: text((b?.floor ?? 0) * 100), rollout: e.rollout ?? 'manual',
    format: e.outputConfig?.format || 'png', quality: text(e.outputConfig?.quality), fallbackImageUrl: e.fallbackImageUrl ?? '', rows: e.rows ?? false,
  };
}

/** slugOf makes a name fit for an address. */
export const slugOf = (name: string): string => name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60).replace(/-+$/, '');

/** idsOf are the ids of variants: those that they have, and of new ones their names. */
export function idsOf(variants: Pick<DraftVariant, 'id' | 'name'>[]): string[] {
  const taken = new Set(variants.map((v) => v.id).filter(Boolean));
  return variants.map((v, i) => {
    if (v.id) return v.id;
    const base = slugOf(v.name) || `variant-${i + 1}`;
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
    taken.add(id);
    return id;
  });
}

const number = (typed: string): number | undefined => {
  const n = Number(typed.trim().replace(',', '.'));
  return typed.trim() === '' || !Number.isFinite(n) ? undefined : n;
};
const share = (typed: string): number | undefined => {
  const n = number(typed);
  return n === undefined ? undefined : Number((n / 100).toFixed(6));
};

// given leaves out what is not.
const given = <T extends object>(of: T): T => Object.fromEntries(Object.entries(of).filter(([, v]) => v !== undefined && v !== '' && v !== null)) as T;

function variantsOf(d: Draft): Variant[] {
  const ids = idsOf(d.variants);
  return d.variants.map((v, i) => given({
    id: ids[i]!, name: v.name.trim(), templateUid: v.templateUid, size: v.size, theme: v.theme, variables: Object.keys(v.variables).length > 0 ? v.variables : undefined, weight: v.weight, isDefault: v.control || undefined,
    conditions: d.type === 'smart_link' && !v.control ? v.conditions : undefined, schedule: d.type === 'scheduled' && !v.control ? v.schedule : undefined,
  }) as Variant);
}

/** definitionOf is what is sent of a draft. */
export function definitionOf(d: Draft): Definition {
  const bandit: Bandit = given({ enabled: d.bandit, algorithm: d.bandit ? 'thompson_sampling' : undefined, warmupImpressions: number(d.warmup), recomputeIntervalMinutes: number(d.interval), floor: share(d.floor) }) as Bandit;
  const compared = d.type === 'ab_test';
  return given({
    name: d.name.trim(), slug: d.slug.trim(), type: d.type, hypothesis: d.hypothesis.trim(), variants: variantsOf(d), goalConfig: given({ ...d.goal, destinationUrl: d.goal.destinationUrl?.trim() }), coverage: compared ? d.coverage : undefined,
    minimumSampleSize: compared ? number(d.minimumSampleSize) : undefined, confidenceThreshold: compared ? share(d.confidence) : undefined, minimumRunDays: compared ? number(d.minimumRunDays) : undefined, plannedSampleSize: compared ? number(d.plannedSampleSize) : undefined,
    banditConfig: compared && d.bandit ? bandit : undefined, rollout: compared ? d.rollout : undefined, outputConfig: given({ format: d.format, quality: number(d.quality) }), fallbackImageUrl: d.fallbackImageUrl.trim(), rows: (compared && d.rows) || undefined,
  }) as Definition;
}

/** changesOf is what a PATCH sends: all of a draft, and of what has run only what may still change. */
export function changesOf(d: Draft, before: Experiment): object {
  const all = definitionOf(d);
  const emptied = { hypothesis: d.hypothesis.trim(), fallbackImageUrl: d.fallbackImageUrl.trim() }; // what is not sent stays as it was
  if (before.status === 'draft') return { ...all, ...emptied, plannedSampleSize: all.plannedSampleSize ?? 0, goalConfig: { ...all.goalConfig, destinationUrl: all.goalConfig.destinationUrl ?? '' }, rows: d.type === 'ab_test' && d.rows, ...(before.banditConfig && !d.bandit ? { banditConfig: { ...before.banditConfig, enabled: false } } : {}) };
  return given({
    name: all.name, confidenceThreshold: all.confidenceThreshold, minimumRunDays: all.minimumRunDays, coverage: all.coverage === (before.coverage || 10_000) ? undefined : all.coverage,
    goalConfig: all.goalConfig.destinationUrl === before.goalConfig.destinationUrl ? undefined : { destinationUrl: all.goalConfig.destinationUrl ?? '' }, ...(emptied.hypothesis === (before.hypothesis ?? '') ? {} : { hypothesis: emptied.hypothesis }),
  });
}

/** retyped is a draft of another type: what says when a variant is shown begins with a rule that can be changed. */
export const retyped = (d: Draft, type: Type): Draft => ({
  ...d, type, variants: d.variants.map((v) => (type === 'smart_link' && !v.conditions ? { ...v, conditions: { type: 'group', operator: 'AND', children: [{ type: 'rule', property: 'device', operator: 'equals', value: 'mobile' }] } } : v)),
});

/** put sets something of one variant. */
export const put = (d: Draft, key: number, change: Partial<DraftVariant>): Draft => ({ ...d, variants: d.variants.map((v) => (v.key === key ? { ...v, ...change } : v)) });

const weighed = (d: Draft, variants: DraftVariant[], weights: number[]): Draft => ({ ...d, variants: variants.map((v, i) => ({ ...v, weight: weights[i]! })) });

/** add puts a variant in, like another one where there is one to be like. */
export function add(d: Draft, like?: DraftVariant): Draft {
  const last = like ?? d.variants.at(-1);
  const next = { ...blank(d.variants, 0), ...(like ? { variables: like.variables, conditions: like.conditions, schedule: like.schedule } : {}), templateUid: last?.templateUid ?? '', size: last?.size ?? '', theme: last?.theme ?? '' };
  return weighed(d, [...d.variants, next], joined(d.variants.map((v) => v.weight)));
}

/** drop takes a variant out; the first of the others is the control where it was that. */
export function drop(d: Draft, key: number): Draft {
  const at = d.variants.findIndex((v) => v.key === key);
  const rest = d.variants.filter((v) => v.key !== key);
  const weights = without(d.variants.map((v) => v.weight), at);
  return weighed(d, rest.map((v, i) => ({ ...v, control: d.variants[at]?.control ? i === 0 : v.control })), weights);
}

