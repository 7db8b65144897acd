// The pictures of a step: before and after over each other with a line between
// them that is dragged, and large beside each other.

import { useState } from 'preact/hooks';

import { pictureOf, type RunStep } from '../../api/copilot.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { viewWords } from './words.ts';

interface Pair {
  before?: string; // addresses
  after?: string;
  of: string; // what they are of
}

/** pairOf are the pictures of a step. */
export const pairOf = (run: string, step: RunStep): Pair => ({
  before: step.before && pictureOf(run, step.before), after: step.after && pictureOf(run, step.after), of: `${step.title}${viewWords(step) && ` (${viewWords(step)})`}`,
});

/** Wipe shows one picture left of a line and the other right of it; the arrow keys move the line. */
export function Wipe({ pair: { before, after, of } }: { pair: Pair }) {
  const [at, setAt] = useState(50);
  const [shapes, setShapes] = useState<{ before?: number; after?: number }>({});
  const measured = (which: 'before' | 'after') => (e: Event) => {
    const { naturalWidth: w, naturalHeight: h } = e.currentTarget as HTMLImageElement;
    setShapes((s) => ({ ...s, [which]: w / h }));
  };
  const one = after ?? before;
  if (!one) return null;
  if (!before || !after) return <img class="copilot-picture" src={one} alt={`${after ? 'After' : 'Before'}: ${of}`} />;
  if (shapes.before && shapes.after && Math.abs(shapes.before / shapes.after - 1) > 0.01) return <Beside pair={{ before, after, of }} />;
  return (
    <div class="copilot-wipe">
      <img class="copilot-picture" src={after} alt={`After: ${of}`} onLoad={measured('after')} />
      <img class="copilot-picture" src={before} alt={`Before: ${of}`} onLoad={measured('before')} style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }} />
      <i style={{ left: `${at}%` }} aria-hidden="true" />
      <span aria-hidden="true" data-side="before" hidden={at < 25}>Before</span>
      <span aria-hidden="true" data-side="after" hidden={at > 75}>After</span>
      <input type="range" min={0} max={100} value={at} aria-label={`Before and after: ${of}`} aria-valuetext={at === 0 ? 'after' : at === 100 ? 'before' : `${at} % before`} onInput={(e) => setAt(Number(e.currentTarget.value))} />
    </div>
  );
}

function Beside({ pair: { before, after, of } }: { pair: Pair }) {
  return (
    <div class="copilot-beside">
      {before && <figure><img class="copilot-picture" src={before} alt={`Before: ${of}`} /><figcaption>Before</figcaption></figure>}
      {after && <figure><img class="copilot-picture" src={after} alt={`After: ${of}`} /><figcaption>After</figcaption></figure>}
    </div>
  );
}

/** Large is a dialog with the pictures as large as the window lets them. */
export function Large({ pair, close }: { pair: Pair; close: () => void }) {
  const [beside, setBeside] = useState(true);
  const both = pair.before !== undefined && pair.after !== undefined;
  return (
    <Dialog wide title={pair.of} close={close}>
      <div class="copilot-large">
        {both && (
          <div class="segments" role="radiogroup" aria-label="How they are compared">
            <label><input type="radio" name="copilot-large" checked={beside} onChange={() => setBeside(true)} />Beside each other</label>
            <label><input type="radio" name="copilot-large" checked={!beside} onChange={() => setBeside(false)} />Over each other</label>
          </div>
        )}
        {both && beside ? <Beside pair={pair} /> : <Wipe pair={pair} />}
      </div>
      <div class="actions"><button type="button" class="button" onClick={close}>Close</button></div>
    </Dialog>
  );
}
