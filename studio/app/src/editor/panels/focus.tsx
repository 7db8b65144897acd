// The point of a picture that stays in view, and the part of it that is used:
// set on a small one by the pointer, by the arrow keys, or by numbers.

import { useEffect, useRef, useState } from 'preact/hooks';

import { Tick } from '../../ui/field.tsx';
import { NumberField } from '../fields/number.tsx';
import type { Edit } from './edit.ts';

const bounded = (n: number) => Math.min(1, Math.max(0, Math.round(n * 1000) / 1000));

/** focusOf reads "0.5 0.3"; undefined for auto and nothing. */
export function focusOf(text: string | undefined): [number, number] | undefined {
  const found = /^\s*([\d.]+)\s+([\d.]+)\s*$/.exec(text ?? '');
  return found ? [bounded(Number(found[1])), bounded(Number(found[2]))] : undefined;
}

export function Focus({ edit, crop }: { edit: Edit; crop: [number, number, number, number] }) {
  const { value } = edit.attr('p-focus');
  const point = focusOf(value) ?? [0.5, 0.5];
  const [moving, setMoving] = useState<[number, number]>();
  const [drawing, setDrawing] = useState<[number, number, number, number]>();
  const [mode, setMode] = useState<'focus' | 'crop'>('focus');
  const start = useRef<[number, number] | undefined>(undefined);
  const src = (edit.doc.frame?.element(edit.first.address) as HTMLImageElement | null)?.currentSrc || '';
  useEffect(() => setMoving(undefined), [value, edit.first.address]);
  const disabled = !edit.can('set_attr');
  const set = (p: [number, number]) => {
    setMoving(p);
    void edit.setAttr('Focus point', 'p-focus', `${p[0]} ${p[1]}`);
  };
  const at = (e: PointerEvent): [number, number] => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return [bounded((e.clientX - box.left) / box.width), bounded((e.clientY - box.top) / box.height)];
  };
  const area = (a: [number, number], b: [number, number]): [number, number, number, number] => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])].map(bounded) as [number, number, number, number];
  const down = (e: PointerEvent) => {
    if (disabled) return;
    (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
    start.current = at(e);
    if (mode === 'focus') setMoving(at(e));
  };
  const move = (e: PointerEvent) => {
    if (!start.current) return;
    if (mode === 'focus') setMoving(at(e));
    else setDrawing(area(start.current, at(e)));
  };
  const up = (e: PointerEvent) => {
    const from = start.current;
    start.current = undefined;
    if (!from) return;
    if (mode === 'focus') return set(at(e));
    const next = area(from, at(e));
    setDrawing(undefined);
    if (next[2] > 0.02 && next[3] > 0.02) void edit.setAttr('Crop', 'p-crop', next.join(' '));
  };
  const key = (e: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (!by || disabled) return;
    e.preventDefault();
    e.stopPropagation();
    const step = e.shiftKey ? 0.1 : 0.01;
    set([bounded(point[0] + by[0]! * step), bounded(point[1] + by[1]! * step)]);
  };
  const [x, y] = moving ?? point;
  const shown = drawing ?? crop;
  return (
    <div class="property" data-wide role="group" aria-label="Focus point">
      <div class="property-head"><span class="property-label">{mode === 'focus' ? 'Focus point' : 'Draw the crop'}</span>
        <button type="button" class="button plain" aria-pressed={mode === 'crop'} onClick={() => setMode(mode === 'crop' ? 'focus' : 'crop')}>{mode === 'crop' ? 'Focus' : 'Crop here'}</button>
      </div>
      {src && (
        <div class="focus-pick" role="application" aria-roledescription="point on a picture" tabIndex={0} aria-label={`Focus point, ${Math.round(x * 100)} % across, ${Math.round(y * 100)} % down; arrow keys move it`} onPointerDown={down} onPointerMove={move} onPointerUp={up} onKeyDown={key}>
          <img src={src} alt="" draggable={false} />
          {shown.join(' ') !== '0 0 1 1' && <span class="crop-box" style={{ left: `${shown[0] * 100}%`, top: `${shown[1] * 100}%`, width: `${shown[2] * 100}%`, height: `${shown[3] * 100}%` }} />}
          {mode === 'focus' && <span class="focus-point" style={{ left: `${x * 100}%`, top: `${y * 100}%` }} />}
        </div>
      )}
      <div class="three">
        <NumberField label="Focus across" short="X" unit="%" min={0} max={100} value={value === 'auto' ? undefined : x * 100} disabled={disabled} change={(n) => set([bounded((n ?? 50) / 100), y])} />
        <NumberField label="Focus down" short="Y" unit="%" min={0} max={100} value={value === 'auto' ? undefined : y * 100} disabled={disabled} change={(n) => set([x, bounded((n ?? 50) / 100)])} />
        <Tick label="Found by itself" checked={value === 'auto'} disabled={disabled} change={(on) => void edit.setAttr('Focus point', 'p-focus', on ? 'auto' : null)} />
      </div>
    </div>
  );
}
