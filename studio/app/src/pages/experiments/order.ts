// The order in which variants are shown, which gives each its colour.

import { controlOf, type Experiment, type VariantState } from '../../api/experiments.ts';

/** ordered are the variants, the control first. */
export function ordered(e: Experiment): VariantState[] {
  const control = controlOf(e);
  return [...e.variants].sort((a, b) => Number(b.id === control?.id) - Number(a.id === control?.id));
}

/** goalWord is what counts as success. */
export const goalWord = (e: Experiment): string => ({ click_through: 'Clicks', conversion: 'Conversions', impressions_only: 'Conversions' })[e.goalConfig.type];
