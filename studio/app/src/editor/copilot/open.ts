// Opening the copilot from anywhere in the editor.

import { signal } from '@preact/signals';

import { column, tabs } from '../registry.ts';

/** asked counts those who want to write to it: its field takes the focus. */
export const asked = signal(0);

export const inSight = (): boolean => tabs.right.value === 'Copilot';

/** openCopilot shows the panel and puts the cursor into its field. */
export function openCopilot(): void {
  tabs.right.value = 'Copilot';
  column.value = 'right';
  asked.value++;
}

export function closeCopilot(): void {
  tabs.right.value = '';
  column.value = '';
}
