// How letters look, and how a text fits its box.

import { Select, Tick } from '../../ui/field.tsx';
import { ColourField } from '../fields/colour.tsx';
import { FontField } from '../fields/font.tsx';
import { lengthOf } from '../fields/lengths.ts';
import { NumberField } from '../fields/number.tsx';
import { ShadowField } from '../fields/shadow.tsx';
import type { Edit } from './edit.ts';
import { Property, Section } from './property.tsx';

const weights = [['100', 'Thin'], ['200', 'Extra light'], ['300', 'Light'], ['400', 'Regular'], ['500', 'Medium'], ['600', 'Semibold'], ['700', 'Bold'], ['800', 'Extra bold'], ['900', 'Black']].map(([value, label]) => ({ value: value!, label: `${label} ${value}` }));
const named: Record<string, string> = { normal: '400', bold: '700' };

/** number reads a property in px or without a unit; what the browser has is the hint. */
function number(edit: Edit, property: string): { value: number | undefined; mixed: boolean; hint: string; unit: string } {
  const { value, mixed } = edit.read(property);
  const length = lengthOf(value);
  const now = lengthOf(edit.now(property));
  return { value: length?.n, mixed, hint: now ? String(Math.round(now.n * 100) / 100) : 'auto', unit: length?.unit ?? '' };
}

export function Type({ edit, fits }: { edit: Edit; fits: boolean }) {
  const disabled = !edit.can('set_style');
  const size = number(edit, 'font-size'), line = number(edit, 'line-height'), spacing = number(edit, 'letter-spacing');
  const weight = edit.read('font-weight'), style = edit.read('font-style'), align = edit.read('text-align'), family = edit.read('font-family'), colour = edit.read('color');
  const transform = edit.read('text-transform'), line_ = edit.read('text-decoration-line'), decoration = edit.read('text-decoration');
  const nowWeight = named[weight.value ?? ''] ?? weight.value ?? '';
  const under = (decoration.value ?? line_.value ?? '').split(' ')[0] ?? '';
  return (
    <Section title="Type">
      <Property edit={edit} label="Font" place="style:font-family" wide hint={'"Inter"'}>
        <FontField doc={edit.doc} value={family.value} mixed={family.mixed} now={edit.now('font-family')} disabled={disabled} change={(value) => void edit.style('Font', { 'font-family': value })} />
      </Property>
      <div class="two">
        <Property edit={edit} label="Size" place="style:font-size" hint='48 ~ "px"'>
          <NumberField label="Font size" short="px" value={size.value} mixed={size.mixed} hint={size.hint} min={1} disabled={disabled} change={(n) => void edit.style('Font size', { 'font-size': n === null ? null : `${n}px` })} />
        </Property>
        <Property edit={edit} label="Weight" place="style:font-weight" hint="sale ? 700 : 400">
          <Select aria-label="Font weight" value={weights.some((w) => w.value === nowWeight) ? nowWeight : ''} disabled={disabled} change={(value) => void edit.style('Font weight', { 'font-weight': value || null })}
            choices={[{ value: '', label: weight.mixed ? 'mixed' : weight.value ?? 'As inherited' }, ...weights]} />
        </Property>
        <Property edit={edit} label="Line height" place="style:line-height">
          <NumberField label="Line height" short="↕" step={line.unit === '' ? 0.05 : 1} unit={line.unit || undefined} value={line.value} mixed={line.mixed} hint={line.hint} min={0} disabled={disabled} change={(n) => void edit.style('Line height', { 'line-height': n === null ? null : `${n}${line.unit}` })} />
        </Property>
        <Property edit={edit} label="Spacing" place="style:letter-spacing">
          <NumberField label="Letter spacing" short="↔" step={spacing.unit === 'em' ? 0.01 : 0.5} unit={spacing.unit || 'px'} value={spacing.value} mixed={spacing.mixed} hint="0" disabled={disabled} change={(n) => void edit.style('Letter spacing', { 'letter-spacing': n === null ? null : `${n}${spacing.unit || 'px'}` })} />
        </Property>
      </div>
      <Property edit={edit} label="Align" place="style:text-align" wide>
        <div class="segments" role="radiogroup" aria-label="Align text">
          {[['left', 'Left'], ['center', 'Centre'], ['right', 'Right'], ['justify', 'Justify']].map(([value, label]) => (
            <label key={value}><input type="radio" name="text-align" checked={align.value === value} disabled={disabled} onChange={() => void edit.style('Align text', { 'text-align': value! })} />{label}</label>
          ))}
        </div>
      </Property>
      <Property edit={edit} label="Colour" place="style:color" wide hint="sale ? '#e11d48' : 'var(--ink)'">
        <ColourField label="Text colour" value={colour.value} mixed={colour.mixed} none="as inherited" tokens={edit.tokens} disabled={disabled} change={(value) => void edit.style('Text colour', { color: value })} />
      </Property>
      <div class="row">
        <Tick label="Italic" checked={style.value === 'italic'} disabled={disabled} change={(on) => void edit.style('Italic', { 'font-style': on ? 'italic' : null })} />
        <Tick label="Underline" checked={under === 'underline'} disabled={disabled} change={(on) => void edit.style('Underline', { 'text-decoration': on ? 'underline' : null })} />
        <Tick label="Struck" checked={under === 'line-through'} disabled={disabled} change={(on) => void edit.style('Strike', { 'text-decoration': on ? 'line-through' : null })} />
        <Tick label="Capitals" checked={transform.value === 'uppercase'} disabled={disabled} change={(on) => void edit.style('Capitals', { 'text-transform': on ? 'uppercase' : null })} />
      </div>
      <Property edit={edit} label="Text shadow" properties={['text-shadow']} wide>
        <ShadowField ofText label="Text shadow" value={edit.read('text-shadow').value} mixed={edit.read('text-shadow').mixed} tokens={edit.tokens} disabled={disabled} change={(value) => void edit.style('Text shadow', { 'text-shadow': value })} />
      </Property>
      {fits && <Fit edit={edit} />}
    </Section>
  );
}

const modes = [{ value: '', label: 'As it is' }, { value: 'shrink', label: 'Shrink to fit' }, { value: 'fit', label: 'Shrink or grow to fit' }, { value: 'ellipsis', label: 'Cut with …' }, { value: 'none', label: 'None' }];

function Fit({ edit }: { edit: Edit }) {
  const mode = edit.attr('p-fit');
  const disabled = !edit.can('set_attr');
  const bound = (name: string, label: string, hint: string) => {
    const { value, mixed } = edit.attr(name);
    return <NumberField label={label} short={hint} value={value === undefined || value === '' ? undefined : Number(value)} mixed={mixed} min={1} disabled={disabled} hint="none" change={(n) => void edit.setAttr(label, name, n === null ? null : String(n))} />;
  };
  const report = edit.nodes.length === 1 ? edit.doc.frame?.report.value.layers.find((l) => l.layer === edit.first.address) : undefined;
  return (
    <div class="property" data-wide role="group" aria-label="Fit">
      <div class="property-head"><span class="property-label">Fit its box</span></div>
      <Select aria-label="Fit mode" value={mode.value ?? ''} disabled={disabled} change={(value) => void edit.setAttr('Fit mode', 'p-fit', value || null)} choices={mode.mixed ? [{ value: '', label: 'mixed' }, ...modes.slice(1)] : modes} />
      {mode.value && mode.value !== 'none' && <div class="three">
        {mode.value !== 'ellipsis' && bound('p-min', 'Smallest size', 'min')}
        {mode.value === 'fit' && bound('p-max', 'Largest size', 'max')}
        {bound('p-lines', 'Most lines', 'lines')}
      </div>}
      {report && (report.clipped || report.changed || report.cut) && <p class={report.clipped ? 'wrong' : 'help'}>With this row: {Math.round(report.fontPx * 100) / 100} px on {report.lines} {report.lines === 1 ? 'line' : 'lines'}{report.clipped ? '. It does not fit: make the box larger, allow a smaller size, or shorten the text.' : report.cut ? ', cut.' : '.'}</p>}
    </div>
  );
}
