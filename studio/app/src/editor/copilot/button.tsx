// The button in the top bar: it opens the copilot, and says how it goes while
// the panel is closed.

import { useEffect } from 'preact/hooks';

import type { Doc } from '../document.ts';
import { column } from '../registry.ts';
import { closeCopilot, inSight, openCopilot } from './open.ts';
import { pilotOf } from './pilot.ts';
import { statuses } from './words.ts';

export function CopilotButton({ doc }: { doc: Doc }) {
  const pilot = pilotOf(doc), loaded = doc.loaded.value;
  useEffect(() => {
    if (!loaded) return undefined;
    pilot.open();
    return () => pilot.close();
  }, [pilot, loaded]);
  const run = pilot.run.value, open = inSight();
  const state = run && (run.status === 'running' || run.status === 'waiting' || run.status === 'needs_review') && !pilot.past.value ? statuses[run.status] : null;
  return (
    <button type="button" class="button copilot-button" aria-pressed={open} title="Ask the copilot (Ctrl K)" onClick={() => (open && (column.value === 'right' || column.value === '') ? closeCopilot() : openCopilot())}>
      Copilot{state && <span class="level" data-level={state[0]}><span class="hide">: {state[1]}</span></span>}
    </button>
  );
}
