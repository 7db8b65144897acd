// Light, dark, or as the machine has it.

import { effect, signal } from '@preact/signals';

import { Select } from '../ui/field.tsx';

const kept = 'pictifyd.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const machine = signal(dark.matches);
dark.addEventListener('change', () => (machine.value = dark.matches));

const choice = signal(localStorage.getItem(kept) ?? 'auto');

effect(() => {
  document.documentElement.dataset.theme = choice.value === 'auto' ? (machine.value ? 'dark' : 'light') : choice.value;
});

export function ThemeChoice() {
  const choose = (value: string) => {
    choice.value = value;
    localStorage.setItem(kept, value);
  };
  return <Select aria-label="Colours" value={choice.value} change={choose} choices={[{ value: 'auto', label: 'Colours: automatic' }, { value: 'light', label: 'Colours: light' }, { value: 'dark', label: 'Colours: dark' }]} />;
}
