// The first page: one sentence about how it all is, and what needs somebody.

import { overview } from '../api/live.ts';
import { Page } from '../shell/shell.tsx';

export function Overview() {
  const state = overview.value;
  return <Page title={state ? `${state.bindings.length} bindings, ${state.images.length} newest images` : 'Looking around …'}>{null}</Page>;
}
