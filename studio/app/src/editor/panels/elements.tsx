// QR codes, charts, tables, ratings and the other elements: their value and
// their options, as docs/elements.md describes them.

import { useState } from 'preact/hooks';

import { Input, Select } from '../../ui/field.tsx';
import type { Edit } from './edit.ts';
import { boundAt } from './reading.ts';
import { Property, Section } from './property.tsx';

interface Option {
  name: string; // without p-
  label: string;
  choices?: string[]; // the first is what holds where nothing is said
  hint?: string;
  fixed?: boolean; // holds no expression
}

const yes = ['true', 'false'], no = ['false', 'true'], auto = ['auto', 'true', 'false'];

/** elements are the elements, their value and their options. */
export const elements: Record<string, { title: string; value: string; hint: string; options: Option[] }> = {
  qr: { title: 'QR code', value: 'Text or address', hint: 'ticket_url', options: [{ name: 'level', label: 'Damage it survives', choices: ['M', 'L', 'Q', 'H'] }, { name: 'quiet', label: 'Quiet zone', choices: yes }] },
  barcode: { title: 'Barcode', value: 'Number or text', hint: 'ean', options: [{ name: 'symbology', label: 'Symbology', choices: ['code128', 'ean13', 'ean8'] }, { name: 'text', label: 'Digits below', choices: yes }, { name: 'quiet', label: 'Quiet zone', choices: yes }] },
  chart: { title: 'Chart', value: 'Numbers', hint: 'revenue', options: [
    { name: 'kind', label: 'Kind', choices: ['line', 'area', 'bar', 'donut', 'sparkline'] }, { name: 'labels', label: 'Labels', hint: 'Jan, Feb, Mar' }, { name: 'min', label: 'Scale from', hint: 'by itself' }, { name: 'max', label: 'Scale to', hint: 'by itself' },
    { name: 'format', label: 'Numbers as', hint: 'number' }, { name: 'stacked', label: 'Stacked', choices: no }, { name: 'axis', label: 'Axes', choices: yes }, { name: 'legend', label: 'Legend', choices: auto }, { name: 'values', label: 'Values', choices: auto }, { name: 'total', label: 'Sum in the middle', choices: no }] },
  rating: { title: 'Rating', value: 'Number', hint: 'stars', options: [{ name: 'of', label: 'Stars', hint: '5' }, { name: 'round', label: 'Rounded', choices: ['exact', 'half', 'whole'] }, { name: 'align', label: 'Align', choices: ['left', 'center', 'right'] }] },
  table: { title: 'Table', value: 'List of rows', hint: 'items', options: [{ name: 'columns', label: 'Columns', hint: 'name:Item, price:Price', fixed: true }, { name: 'head', label: 'Headings', choices: yes }] },
  countdown: { title: 'Countdown', value: 'Moment', hint: 'ends_at', options: [{ name: 'smallest', label: 'Last unit', choices: ['minutes', 'hours', 'days'] }, { name: 'days', label: 'Word for days', hint: 'day|days' }, { name: 'hours', label: 'Word for hours', hint: 'hour|hours' }, { name: 'minutes', label: 'Word for minutes', hint: 'minute|minutes' }] },
};

function OptionField({ edit, option }: { edit: Edit; option: Option }) {
  const name = `p-${option.name}`;
  const { value, mixed } = edit.attr(name);
  const [draft, setDraft] = useState<string>();
  const disabled = !edit.can('set_attr');
  const set = (to: string) => {
    setDraft(undefined);
    if (to !== (value ?? '')) void edit.setAttr(option.label, name, to || null);
  };
  const control = option.choices
    ? <Select aria-label={option.label} value={value === option.choices[0] ? '' : value ?? ''} disabled={disabled} change={set} choices={[{ value: '', label: mixed ? 'mixed' : option.choices[0]! }, ...option.choices.slice(1)]} />
    : <Input aria-label={option.label} placeholder={mixed ? 'mixed' : option.hint} value={draft ?? value ?? ''} disabled={disabled} change={setDraft} onBlur={() => draft !== undefined && set(draft.trim())} onKeyDown={(e) => { if (e.key === 'Enter') set((draft ?? '').trim()); e.stopPropagation(); }} />;
  return <Property edit={edit} label={option.label} place={option.fixed ? undefined : `option:${option.name}`} properties={[]} wide={option.name === 'columns' || option.name === 'labels'}>{control}</Property>;
}

export function ElementOptions({ edit }: { edit: Edit }) {
  const about = elements[edit.first.element ?? ''];
  const [draft, setDraft] = useState<string>();
  if (!about) return null;
  const attribute = `p-${edit.first.element}`;
  const plain = edit.attr(attribute);
  const bound = edit.nodes.some((n) => boundAt(n, 'element'));
  return (
    <Section title={about.title}>
      <Property edit={edit} label={about.value} place="element" properties={[]} hint={about.hint} wide>
        {!bound && <Input aria-label={about.value} placeholder={about.hint} value={draft ?? plain.value ?? ''} disabled={!edit.can('set_attr')} change={setDraft} onKeyDown={(e) => e.stopPropagation()} onBlur={() => { if (draft !== undefined && draft !== plain.value) void edit.setAttr(about.value, attribute, draft); setDraft(undefined); }} />}
      </Property>
      <div class="two">{about.options.map((o) => <OptionField key={o.name} edit={edit} option={o} />)}</div>
    </Section>
  );
}
