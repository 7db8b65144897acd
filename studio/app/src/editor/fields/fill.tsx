// What fills a shape or a page: nothing, a colour, or a gradient with its stops.

import { useState } from 'preact/hooks';

import { Select } from '../../ui/field.tsx';
import { ColourEditor, resolved, Swatch, type Token } from './colour.tsx';
import { tokenOf } from './colours.ts';
import { type Gradient, gradientOf, gradientText, type Stop } from './gradients.ts';
import { rounded } from './lengths.ts';
import { NumberField } from './number.tsx';
import { Popover } from './popover.tsx';

const fresh = (kind: Gradient['kind'], from: string): Gradient => ({ kind, angle: 135, x: 50, y: 50, stops: [{ colour: from, at: 0 }, { colour: '#ffffff', at: 100 }] });

/** painted is a fill with the values of its tokens, so that the studio can show it. */
const painted = (value: string, tokens: Token[]): string => value.replace(/var\(--[\w-]+\)/g, (v) => resolved(v, tokens));

/** StopBar is the stops along a bar: dragged, or moved by the arrow keys; Delete takes one away, a press on the bar makes one. */
function StopBar({ gradient, at, pick, change, tokens }: { gradient: Gradient; at: number; pick: (i: number) => void; change: (stops: Stop[], done: boolean) => void; tokens: Token[] }) {
  const place = (e: PointerEvent, bar: HTMLElement) => {
    const box = bar.getBoundingClientRect();
    return Math.round(Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1) * 100);
  };
  const put = (i: number, to: number, done: boolean) => change(gradient.stops.map((s, j) => (j === i ? { ...s, at: Math.min(Math.max(to, 0), 100) } : s)), done);
  const remove = (i: number) => {
    if (gradient.stops.length < 3) return;
    change(gradient.stops.filter((_, j) => j !== i), true);
    pick(Math.max(0, i - 1));
  };
  const add = (e: PointerEvent) => {
    if (e.target !== e.currentTarget) return;
    const at = place(e, e.currentTarget as HTMLElement);
    const before = [...gradient.stops].sort((a, b) => a.at - b.at).findLast((s) => s.at <= at) ?? gradient.stops[0]!;
    change([...gradient.stops, { colour: before.colour, at }], true);
    pick(gradient.stops.length);
  };
  return (
    <div class="stop-bar" style={{ backgroundImage: painted(gradientText({ ...gradient, kind: 'linear', angle: 90 }), tokens) }} onPointerDown={add}>
      {gradient.stops.map((s, i) => (
        <button key={i} type="button" class="stop" aria-pressed={i === at} aria-label={`Stop ${i + 1} of ${gradient.stops.length}, ${s.colour} at ${rounded(s.at)} %`} style={{ left: `${s.at}%` }}
          onFocus={() => pick(i)}
          onPointerDown={(e) => { pick(i); e.currentTarget.setPointerCapture(e.pointerId); }}
          onPointerMove={(e) => e.currentTarget.hasPointerCapture(e.pointerId) && put(i, place(e, e.currentTarget.parentElement!), false)}
          onPointerUp={(e) => e.currentTarget.hasPointerCapture(e.pointerId) && put(i, place(e, e.currentTarget.parentElement!), true)}
          onKeyDown={(e) => {
            const by = e.key === 'ArrowLeft' ? -1 : e.key === 'ArrowRight' ? 1 : 0;
            if (by) put(i, s.at + by * (e.shiftKey ? 10 : 1), true);
            else if (e.key === 'Delete' || e.key === 'Backspace') remove(i);
            else return;
            e.preventDefault();
          }}><Swatch colour={resolved(s.colour, tokens)} /></button>
      ))}
    </div>
  );
}

function GradientEditor({ value, tokens, change }: { value: Gradient; tokens: Token[]; change: (g: Gradient) => void }) {
  const [draft, setDraft] = useState<Gradient>();
  const [at, setAt] = useState(0);
  const shown = draft ?? value;
  const commit = (g: Gradient) => {
    setDraft(undefined);
    change(g);
  };
  const stop = shown.stops[at] ?? shown.stops[0]!;
  const setStop = (s: Partial<Stop>) => commit({ ...shown, stops: shown.stops.map((old) => (old === stop ? { ...old, ...s } : old)) });
  return (
    <div class="gradient-editor">
      <StopBar gradient={shown} at={at} pick={setAt} tokens={tokens} change={(stops, done) => (done ? commit : setDraft)({ ...shown, stops })} />
      <div class="pair">
        {shown.kind === 'linear'
          ? <NumberField label="Angle" short="∠" unit="°" value={shown.angle} change={(angle) => commit({ ...shown, angle: angle ?? 180 })} />
          : <><NumberField label="Middle across" short="X" unit="%" value={shown.x} change={(x) => commit({ ...shown, x: x ?? 50 })} /><NumberField label="Middle down" short="Y" unit="%" value={shown.y} change={(y) => commit({ ...shown, y: y ?? 50 })} /></>}
        <NumberField label="Place of the stop" short="at" unit="%" min={0} max={100} value={stop.at} change={(to) => setStop({ at: to ?? 0 })} />
        <button type="button" class="button" disabled={shown.stops.length < 3} onClick={() => commit({ ...shown, stops: shown.stops.filter((s) => s !== stop) })}>Remove stop</button>
      </div>
      <ColourEditor value={stop.colour} tokens={tokens} change={(colour) => setStop({ colour })} />
    </div>
  );
}

/** FillField edits a background: background-color for a colour, background-image for a gradient. Both come as one change. */
export function FillField({ label, colour, image, tokens, change, mixed, disabled }: {
  label: string; colour: string | undefined; image: string | undefined; tokens: Token[]; mixed?: boolean; disabled?: boolean;
  change: (to: { colour?: string | null; image?: string | null }) => void;
}) {
  const gradient = gradientOf(image);
  const other = image && image !== 'none' && !gradient ? image : undefined;
  const kind = gradient?.kind ?? (other ? 'other' : colour ? 'colour' : 'none');
  const name = mixed ? 'mixed' : gradient ? `${gradient.kind} gradient` : other ? 'picture' : colour ? tokenOf(colour) ?? colour : 'none';
  const choose = (to: string) => {
    const first = colour || gradient?.stops[0]?.colour || '#e2e8f0';
    if (to === 'none') change({ colour: null, image: null });
    else if (to === 'colour') change({ colour: first, image: null });
    else if (to !== 'other') change({ image: gradientText(gradient ? { ...gradient, kind: to as Gradient['kind'] } : fresh(to as Gradient['kind'], first)) });
  };
  const choices = [{ value: 'none', label: 'Nothing' }, { value: 'colour', label: 'Colour' }, { value: 'linear', label: 'Linear gradient' }, { value: 'radial', label: 'Radial gradient' }, ...(other ? [{ value: 'other', label: 'As the source says' }] : [])];
  return (
    <Popover wide label={`${label}: ${name}`} kind="input swatch-field" disabled={disabled}
      button={<><span class="swatch" aria-hidden="true"><i style={mixed ? {} : { backgroundColor: colour && !colour.includes('{{') ? resolved(colour, tokens) : undefined, backgroundImage: gradient ? painted(gradientText(gradient), tokens) : undefined }} /></span><span class="clip">{name}</span></>}>
      <Select aria-label="Kind of fill" value={kind} change={choose} choices={choices} />
      {kind === 'colour' && <ColourEditor value={colour!} tokens={tokens} change={(c) => change({ colour: c })} />}
      {gradient && <GradientEditor value={gradient} tokens={tokens} change={(g) => change({ image: gradientText(g) })} />}
      {other && <p class="help wrap">{other}</p>}
    </Popover>
  );
}
