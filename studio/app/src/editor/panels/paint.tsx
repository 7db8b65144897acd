// Fill, border, radius, shadow and how much one sees through.

import { Select } from '../../ui/field.tsx';
import { ColourField } from '../fields/colour.tsx';
import { FillField } from '../fields/fill.tsx';
import { gradientOf } from '../fields/gradients.ts';
import { lengthOf } from '../fields/lengths.ts';
import { NumberField } from '../fields/number.tsx';
import { ShadowField } from '../fields/shadow.tsx';
import type { Edit } from './edit.ts';
import { Property, Section } from './property.tsx';

const lines = ['none', 'solid', 'dashed', 'dotted', 'double'];
const mixtures = /gradient\(|url\(|\s(?![^(]*\))/; // more than one colour

export function Paint({ edit, page, picture }: { edit: Edit; page: boolean; picture: boolean }) {
  const disabled = !edit.can('set_style');
  const short = edit.read('background');
  const colour = edit.read('background-color'), image = edit.read('background-image');
  const radius = edit.read('border-radius'), width = edit.read('border-width'), kind = edit.read('border-style'), edge = edit.read('border-color');
  const opacity = edit.read('opacity'), shadow = edit.read('box-shadow');
  // A shorthand that is one colour or one gradient is read as it is written: a browser would name neither its token nor its spelling.
  const written = short.value === undefined || edit.nodes.some((n) => n.style['background-color'] ?? n.style['background-image']) ? undefined : short.value;
  const fill = written === undefined ? { colour: colour.value, image: image.value } : gradientOf(written) ? { colour: undefined, image: written } : !mixtures.test(written) ? { colour: written, image: undefined } : { colour: colour.value, image: image.value ?? written };
  const paint = (to: { colour?: string | null; image?: string | null }) => {
    const next = { ...fill, ...to };
    const values: [string, string | null][] = [['background', null], ['background-color', next.colour ?? null], ['background-image', next.image ?? null]];
    void edit.style('Fill', Object.fromEntries(values.filter(([name, value]) => value !== null || edit.nodes.some((n) => name in n.style))));
  };
  const border = (values: Record<string, string | null>) => void edit.style('Border', { ...(kind.value && kind.value !== 'none' || values['border-style'] !== undefined ? {} : { 'border-style': 'solid' }), ...values });
  const of = (text: string | undefined) => {
    const length = lengthOf(text);
    return length && (length.unit === 'px' || length.n === 0) ? length.n : undefined;
  };
  return (
    <Section title={page ? 'Page' : 'Look'} open={!picture || radius.value !== undefined}>
      <Property edit={edit} label="Fill" place="style:background-color" properties={['background-color', 'background-image', 'background']} wide hint="sale ? '#e11d48' : 'var(--paper)'">
        <FillField label="Fill" colour={fill.colour} image={fill.image} mixed={colour.mixed || image.mixed || short.mixed} tokens={edit.tokens} disabled={disabled} change={paint} />
      </Property>
      {!page && <>
        <div class="two">
          <Property edit={edit} label="Opacity" place="style:opacity" hint="stock > 0 ? 1 : 0.5">
            <NumberField label="Opacity" short="%" min={0} max={100} value={opacity.value === undefined ? undefined : Number(opacity.value) * 100} mixed={opacity.mixed} hint="100" disabled={disabled} change={(n) => void edit.style('Opacity', { opacity: n === null || n === 100 ? null : String(n / 100) })} />
          </Property>
          <Property edit={edit} label="Radius" place="style:border-radius">
            <NumberField label="Corner radius" short="◜" unit="px" min={0} value={of(radius.value)} mixed={radius.mixed} hint={radius.value ?? '0'} disabled={disabled} change={(n) => void edit.style('Radius', { 'border-radius': n === null ? null : `${n}px` })} />
          </Property>
        </div>
        <Property edit={edit} label="Border" place="style:border-color" properties={['border-width', 'border-style', 'border-color']} wide>
          <div class="three">
            <NumberField label="Border width" short="□" unit="px" min={0} value={of(width.value)} mixed={width.mixed} hint="0" disabled={disabled} change={(n) => (n ? border({ 'border-width': `${n}px` }) : void edit.style('Border', { border: null, 'border-width': null, 'border-style': null, 'border-color': null }))} />
            <Select aria-label="Border line" value={lines.includes(kind.value ?? '') ? kind.value! : 'none'} disabled={disabled} choices={lines} change={(value) => border({ 'border-style': value, ...(of(width.value) === undefined && value !== 'none' ? { 'border-width': '2px' } : {}) })} />
            <ColourField label="Border colour" value={edge.value} mixed={edge.mixed} none="text's" tokens={edit.tokens} disabled={disabled} change={(value) => border({ 'border-color': value })} />
          </div>
        </Property>
        <Property edit={edit} label="Shadow" place="style:box-shadow" wide>
          <ShadowField label="Shadow" value={shadow.value} mixed={shadow.mixed} tokens={edit.tokens} disabled={disabled} change={(value) => void edit.style('Shadow', { 'box-shadow': value })} />
        </Property>
        {!picture && <Clip edit={edit} disabled={disabled} />}
      </>}
    </Section>
  );
}

function Clip({ edit, disabled }: { edit: Edit; disabled: boolean }) {
  const overflow = edit.read('overflow');
  return (
    <Property edit={edit} label="What sticks out" properties={['overflow']}>
      <Select aria-label="What sticks out" value={overflow.value === 'hidden' ? 'hidden' : ''} disabled={disabled} choices={[{ value: '', label: 'is shown' }, { value: 'hidden', label: 'is cut off' }]} change={(value) => void edit.style('Overflow', { overflow: value || null })} />
    </Property>
  );
}
