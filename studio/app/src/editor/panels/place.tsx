// Where layers are, how large, and how they are turned.

import { NumberField } from '../fields/number.tsx';
import { lengthOf } from '../fields/lengths.ts';
import type { Edit } from './edit.ts';
import { Badge, Property, Section } from './property.tsx';

type Side = 'left' | 'top' | 'width' | 'height';

const sides: [Side, string, string][] = [['left', 'X', 'Left'], ['top', 'Y', 'Top'], ['width', 'W', 'Width'], ['height', 'H', 'Height']];

/** laid is a side as the browser laid it out, where nothing is written or not in px. */
function laid(edit: Edit, side: Side): number | undefined {
  const all = edit.nodes.map((n) => {
    const box = edit.doc.box(n.address);
    if (!box) return undefined;
    if (side === 'width' || side === 'height') return Math.round(box[side] * 100) / 100;
    const now = parseFloat(edit.doc.style(n.address, side));
    return Number.isFinite(now) ? Math.round(now * 100) / 100 : undefined;
  });
  return all.every((v) => v === all[0]) ? all[0] : undefined;
}

function turned(edit: Edit): { value: number | undefined; mixed: boolean } {
  const of = edit.nodes.map((n) => Math.round((edit.doc.box(n.address)?.angle ?? 0) * 100) / 100);
  const mixed = of.some((a) => a !== of[0]);
  return { value: mixed ? undefined : of[0], mixed };
}

export function Place({ edit }: { edit: Edit }) {
  const flows = edit.nodes.some((n) => edit.doc.node(n.parent)?.kind === 'stack');
  const can = edit.can('set_box') || edit.can('set_style');
  const rotation = turned(edit);
  const shown = sides.filter(([side]) => !flows || side === 'width' || side === 'height');
  const bound = shown.filter(([side]) => edit.nodes.some((n) => n.bindings.some((b) => b.place === `style:${side}`)));
  return (
    <Section title="Place">
      <div class="quad">
        {shown.map(([side, short, label]) => {
          const written = edit.read(side);
          const length = lengthOf(written.value);
          const value = length && (length.unit === 'px' || length.n === 0) ? length.n : written.mixed ? undefined : laid(edit, side);
          return (
            <span key={side} class="with-badge">
              <NumberField label={label} short={short} unit="px" value={value} mixed={written.mixed} disabled={!can} min={side === 'width' || side === 'height' ? 0 : undefined}
                change={(n) => void edit.box(label, { [side]: n })} />
              <Badge edit={edit} properties={[side]} />
            </span>
          );
        })}
      </div>
      <div class="quad">
        <NumberField label="Rotation" short="∠" unit="°" value={rotation.value} mixed={rotation.mixed} disabled={!can} change={(n) => void edit.box('Rotate', { rotate: n })} />
        <Badge edit={edit} properties={['transform', 'rotate']} />
      </div>
      {flows && <p class="help">Its stack places it; W and H may stay empty.</p>}
      <details class="more" open={bound.length > 0}>
        <summary>Decide by data</summary>
        {shown.map(([side, , label]) => <Property key={side} edit={edit} label={label} place={`style:${side}`} hint='width * 2 ~ "px"' />)}
      </details>
    </Section>
  );
}
