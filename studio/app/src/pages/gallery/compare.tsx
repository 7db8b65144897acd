// Two pictures over each other: with a slider between them, as their difference,
// or beside each other.

import { useState } from 'preact/hooks';

const ways = [['slider', 'Slider'], ['difference', 'Difference'], ['beside', 'Side by side']] as const;
export type Way = (typeof ways)[number][0];

export interface Side {
  src: string;
  name: string; // "Version 3, 2 h ago"
}

/** Compare shows before and after; where nothing differs, the difference is black. */
export function Compare({ before, after }: { before: Side; after: Side }) {
  const [way, setWay] = useState<Way>('slider');
  const [at, setAt] = useState(50);
  return (
    <div class="compare" data-how={way}>
      <div class="choices" role="group" aria-label="How to compare">
        {ways.map(([name, label]) => <button key={name} type="button" class="button" aria-pressed={way === name} onClick={() => setWay(name)}>{label}</button>)}
      </div>
      <div class="both">
        <img src={before.src} alt={`Before: ${before.name}`} />
        <img src={after.src} alt={`Now: ${after.name}`} style={{ clipPath: way === 'slider' ? `inset(0 0 0 ${at}%)` : 'none' }} />
      </div>
      {way === 'slider' && <input type="range" min="0" max="100" value={at} aria-label="How much of the picture before" aria-valuetext={`${at} %`} onInput={(e) => setAt(Number(e.currentTarget.value))} />}
      <p class="soft small">{way === 'difference' ? 'Black where both are the same; what is bright differs.' : <>Left: {before.name}. Right: {after.name}.</>}</p>
    </div>
  );
}
