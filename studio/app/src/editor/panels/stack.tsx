// How a stack lays out what is in it.

import { Select } from '../../ui/field.tsx';
import { lengthOf } from '../fields/lengths.ts';
import { NumberField } from '../fields/number.tsx';
import type { Edit } from './edit.ts';
import { Property, Section } from './property.tsx';

const alongs = [{ value: '', label: 'At the start' }, { value: 'center', label: 'In the middle' }, { value: 'flex-end', label: 'At the end' }, { value: 'space-between', label: 'Space between' }, { value: 'space-around', label: 'Space around' }, { value: 'space-evenly', label: 'Even space' }];
const acrosses = [{ value: '', label: 'Stretched' }, { value: 'flex-start', label: 'At the start' }, { value: 'center', label: 'In the middle' }, { value: 'flex-end', label: 'At the end' }, { value: 'baseline', label: 'On one baseline' }];

export function StackLayout({ edit }: { edit: Edit }) {
  const disabled = !edit.can('set_style');
  const display = edit.read('display'), direction = edit.read('flex-direction'), gap = edit.read('gap'), padding = edit.read('padding'), wrap = edit.read('flex-wrap');
  const along = edit.read('justify-content'), across = edit.read('align-items'), columns = edit.read('grid-template-columns');
  const grid = display.value?.includes('grid') ?? false;
  const now = grid ? 'grid' : direction.value?.startsWith('column') ? 'column' : 'row';
  const n = /^repeat\(\s*(\d+)\s*,/.exec(columns.value ?? '')?.[1];
  const choose = (to: string) => {
    if (to === now) return;
    if (to === 'grid') void edit.style('Grid', { display: 'grid', 'grid-template-columns': columns.value ?? 'repeat(2, 1fr)' });
    else void edit.style('Direction', { ...(grid ? { display: 'flex', 'grid-template-columns': null } : {}), 'flex-direction': to });
  };
  const px = (text: string | undefined) => {
    const length = lengthOf(text);
    return length && (length.unit === 'px' || length.n === 0) ? length.n : undefined;
  };
  return (
    <Section title="Stack">
      <Property edit={edit} label="Direction" properties={['flex-direction', 'display']} wide>
        <div class="segments" role="radiogroup" aria-label="Direction">
          {[['row', 'Row'], ['column', 'Column'], ['grid', 'Grid']].map(([value, label]) => <label key={value}><input type="radio" name="stack-direction" checked={!direction.mixed && now === value} disabled={disabled} onChange={() => choose(value!)} />{label}</label>)}
        </div>
      </Property>
      <div class="two">
        <Property edit={edit} label="Gap" place="style:gap"><NumberField label="Gap" short="⇿" unit="px" min={0} value={px(gap.value)} mixed={gap.mixed} hint={gap.value ?? '0'} disabled={disabled} change={(v) => void edit.style('Gap', { gap: v === null ? null : `${v}px` })} /></Property>
        <Property edit={edit} label="Padding" place="style:padding"><NumberField label="Padding" short="▣" unit="px" min={0} value={px(padding.value)} mixed={padding.mixed} hint={padding.value ?? '0'} disabled={disabled} change={(v) => void edit.style('Padding', { padding: v === null ? null : `${v}px` })} /></Property>
        {grid
          ? <Property edit={edit} label="Columns" properties={['grid-template-columns']}><NumberField label="Columns" short="#" min={1} max={24} value={n ? Number(n) : undefined} hint={columns.value} disabled={disabled} change={(v) => void edit.style('Columns', { 'grid-template-columns': `repeat(${Math.round(v ?? 1)}, 1fr)` })} /></Property>
          : <Property edit={edit} label="Wrap" properties={['flex-wrap']}><Select aria-label="Wrap" value={wrap.value === 'wrap' ? 'wrap' : ''} disabled={disabled} choices={[{ value: '', label: 'One line' }, { value: 'wrap', label: 'As many as it takes' }]} change={(v) => void edit.style('Wrap', { 'flex-wrap': v || null })} /></Property>}
        <Property edit={edit} label="Along" properties={['justify-content']}><Select aria-label="Along" value={along.value === 'flex-start' || along.value === 'start' ? '' : along.value ?? ''} disabled={disabled} choices={alongs} change={(v) => void edit.style('Along', { 'justify-content': v || null })} /></Property>
        <Property edit={edit} label="Across" properties={['align-items']}><Select aria-label="Across" value={across.value === 'stretch' ? '' : across.value ?? ''} disabled={disabled} choices={acrosses} change={(v) => void edit.style('Across', { 'align-items': v || null })} /></Property>
      </div>
    </Section>
  );
}
