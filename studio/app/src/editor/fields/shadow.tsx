// Shadows of a box or of a text, one below the other.

import { ColourField, type Token } from './colour.tsx';
import { NumberField } from './number.tsx';
import { Popover } from './popover.tsx';
import { type Shadow, shadowsOf, shadowsText } from './shadows.ts';
import { Tick } from '../../ui/field.tsx';

const fresh: Shadow = { inset: false, x: 0, y: 8, blur: 24, spread: 0, colour: 'rgb(0 0 0 / 0.25)' };

/** ShadowField edits the shadows of a box, or with ofText of letters. */
export function ShadowField({ label, value, tokens, change, ofText, mixed, disabled }: {
  label: string; value: string | undefined; tokens: Token[]; change: (value: string | null) => void; ofText?: boolean; mixed?: boolean; disabled?: boolean;
}) {
  const shadows = shadowsOf(value);
  const name = mixed ? 'mixed' : !shadows ? 'as the source says' : shadows.length === 0 ? 'none' : shadows.length === 1 ? `${shadows[0]!.x}, ${shadows[0]!.y}, ${shadows[0]!.blur}` : `${shadows.length} shadows`;
  const put = (next: Shadow[]) => change(next.length ? shadowsText(next, ofText) : null);
  const set = (i: number, part: Partial<Shadow>) => put(shadows!.map((s, j) => (j === i ? { ...s, ...part } : s)));
  return (
    <Popover wide label={`${label}: ${name}`} kind="input swatch-field" disabled={disabled} button={<span class="clip">{name}</span>}>
      {shadows?.map((s, i) => (
        <div key={i} class="shadow-row" role="group" aria-label={`Shadow ${i + 1}`}>
          <div class="quad">
            <NumberField label="Across" short="X" unit="px" value={s.x} change={(n) => set(i, { x: n ?? 0 })} />
            <NumberField label="Down" short="Y" unit="px" value={s.y} change={(n) => set(i, { y: n ?? 0 })} />
            <NumberField label="Blur" short="B" unit="px" min={0} value={s.blur} change={(n) => set(i, { blur: n ?? 0 })} />
            {!ofText && <NumberField label="Spread" short="S" unit="px" value={s.spread} change={(n) => set(i, { spread: n ?? 0 })} />}
          </div>
          <div class="pair">
            <ColourField label="Colour" value={s.colour} tokens={tokens} change={(colour) => set(i, { colour: colour ?? 'currentcolor' })} />
            {!ofText && <Tick label="Inside" checked={s.inset} change={(inset) => set(i, { inset })} />}
            <button type="button" class="button plain" aria-label={`Remove shadow ${i + 1}`} onClick={() => put(shadows.filter((_, j) => j !== i))}>Remove</button>
          </div>
        </div>
      ))}
      {shadows ? <button type="button" class="button" onClick={() => put([...shadows, fresh])}>Add a shadow</button> : <p class="help wrap">{value}</p>}
    </Popover>
  );
}

