// The plan as a check list, each line with the step that it became.

import type { Run, RunStep } from '../../api/copilot.ts';
import type { Doc } from '../document.ts';
import type { Pilot } from './pilot.ts';
import { Step } from './step.tsx';
import { items } from './words.ts';

const signs = { todo: '○', doing: '◐', done: '✓', skipped: '–' } as const;

export function Plan({ doc, pilot, run }: { doc: Doc; pilot: Pilot; run: Run }) {
  const planned = new Set(run.plan.map((i) => i.step));
  const rest = run.steps.filter((s) => !planned.has(s.number));
  const step = (s: RunStep | undefined, under = '') => s && <Step key={s.number} doc={doc} pilot={pilot} run={run} step={s} titled={s.title === under} />;
  return (
    <>
      {run.plan.length > 0 && (
        <ol class="copilot-plan" aria-label="Plan">
          {run.plan.map((item, i) => (
            <li key={i} data-state={item.state} aria-current={item.state === 'doing' ? 'step' : undefined}>
              <p><span class="copilot-sign" aria-hidden="true">{signs[item.state]}</span><span class="wrap">{item.text}</span><span class="small soft">{items[item.state]}</span></p>
              {step(item.step ? run.steps.find((s) => s.number === item.step) : undefined, item.text)}
            </li>
          ))}
        </ol>
      )}
      {rest.map((s) => step(s))}
    </>
  );
}
