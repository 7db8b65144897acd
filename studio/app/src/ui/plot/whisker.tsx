// One estimate with its range, on a line that has nothing in its middle.

import { place, type Span } from './scale.ts';
import './plot.css';

/** Whisker shows a value within its range; words say the same. A range that goes on beyond the span ends without a stop. */
export function Whisker({ of, value, low, high, span, words }: { of: number; value: number; low: number; high: number; span: Span; words: string }) {
  const x = (v: number) => place(Math.max(span[0], Math.min(span[1], v)), span, 4, 116);
  return (
    <svg class="whisker arm" data-arm={of % 6} viewBox="0 0 120 16" role="img" aria-label={words}>
      <path class="zero" d={`M${x(0)} 0V16`} />
      <path class="range" d={`M${x(low)} 8H${x(high)}${low >= span[0] ? `M${x(low)} 4.5V11.5` : ''}${high <= span[1] ? `M${x(high)} 4.5V11.5` : ''}`} />
      <circle cx={x(value)} cy="8" r="3.6" />
    </svg>
  );
}
