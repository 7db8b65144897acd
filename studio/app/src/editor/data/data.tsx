// The strip's data: which row the canvas shows, how its columns become
// variables, what extremes look like, and whether all rows hold.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { Doc } from '../document.ts';
import { Check } from './check.tsx';
import { Mapping } from './mapping.tsx';
import { RowView } from './row.tsx';
import { rowsOf } from './rows.ts';
import { Stepper } from './stepper.tsx';
import { Stress } from './stress.tsx';
import './data.css';

const parts = ['Row', 'Mapping', 'Stress sheet', 'Check all rows'] as const;
const shown = signal<(typeof parts)[number]>('Row');

export function Data({ doc }: { doc: Doc }) {
  const rows = rowsOf(doc);
  useEffect(() => void rows.begin(), [rows]);
  return (
    <div class="data-panel">
      <div class="data-head">
        <Stepper rows={rows} />
        <div class="segments" role="radiogroup" aria-label="What of the data">
          {parts.map((p) => <label key={p}><input type="radio" name="data-part" checked={shown.value === p} onChange={() => (shown.value = p)} />{p}</label>)}
        </div>
      </div>
      {shown.value === 'Row' && <RowView rows={rows} />}
      {shown.value === 'Mapping' && <Mapping rows={rows} />}
      {shown.value === 'Stress sheet' && <Stress rows={rows} />}
      {shown.value === 'Check all rows' && <Check rows={rows} />}
    </div>
  );
}
