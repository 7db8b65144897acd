// The weights of variants as percentages: change one, and the others follow.

import { useState } from 'preact/hooks';

import { equal, reweigh } from './weights.ts';

/** WeightFields edits weights in basis points, which always sum to 100 %. */
export function WeightFields({ names, weights, change, disabled }: { names: string[]; weights: number[]; change: (weights: number[]) => void; disabled?: boolean }) {
  const [kept, setKept] = useState<ReadonlySet<number>>(new Set());
  const [typed, setTyped] = useState<{ at: number; text: string }>();
  const set = (at: number, weight: number) => {
    change(reweigh(weights, at, weight, kept));
    setKept(new Set([...kept, at]).size >= weights.length ? new Set([at]) : new Set([...kept, at]));
  };
  const type = (at: number, text: string) => {
    setTyped({ at, text });
    const percent = Number(text.replace(',', '.'));
    if (text.trim() !== '' && Number.isFinite(percent) && percent >= 0 && percent <= 100) set(at, percent * 100);
  };
  return (
    <fieldset class="group weights" disabled={disabled}>
      <legend>Weights</legend>
      <p class="soft small">How much of those who come new gets each. They always sum to 100 %.</p>
      {names.map((name, i) => (
        <div class="weight-line" key={i}>
          <span class="clip">{name}</span>
          <input type="range" min="0" max="10000" step="100" value={weights[i]} aria-label={`Weight of ${name}`} aria-valuetext={`${(weights[i] ?? 0) / 100} %`} onInput={(e) => set(i, Number(e.currentTarget.value))} />
          <span class="row tight"><input class="input" inputMode="decimal" aria-label={`Weight of ${name} in percent`} value={typed?.at === i ? typed.text : String((weights[i] ?? 0) / 100)} onInput={(e) => type(i, e.currentTarget.value)} onBlur={() => setTyped(undefined)} /> %</span>
        </div>
      ))}
      <button type="button" class="button" onClick={() => { setKept(new Set()); change(equal(weights.length)); }}>Equal shares</button>
    </fieldset>
  );
}
