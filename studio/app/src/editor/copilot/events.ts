// What a run's events come to. Each tells one thing as it is now, and the newest
// word about a thing holds: so it does not matter whether they come twice, in
// another order, or all over again after a connection was lost.

import { filled, filledRun, isOpen, type Candidate, type Item, type Kind, type Question, type Run, type RunFinding, type RunProblem, type RunStatus, type RunStep, type RunVariant, type Spent } from '../../api/copilot.ts';

/** Told is one event; seq counts from 1 within a run, and is 0 where the event is not kept. */
export interface Told {
  seq: number;
  kind: Kind;
  data: unknown;
}

/** An Act is what the copilot did on the way to a step. */
export interface Act {
  seq: number;
  step: number;
  tool?: { name: string; arguments: Record<string, unknown>; error?: string };
  look?: { picture: string; size?: string; theme?: string };
}

/** Progress is a run as its events tell of it. */
export interface Progress {
  run: Run | null;
  behind: Run | null; // as it was read, and shown until the events have come as far
  newest: Readonly<Record<string, number>>; // the event that told last, by what it told of
  acts: readonly Act[]; // in their order
  under: { step: number; title: string } | null; // the step under way
  checked: { step: number; findings: RunFinding[] } | null;
  says: string;
}

export const nothing: Progress = { run: null, behind: null, newest: {}, acts: [], under: null, checked: null, says: '' };

/** begin is a run from which no event has come; replayed are those of which some are in it already. */
export function begin(read: Run, replayed: boolean): Progress {
  const run = filledRun(read);
  return { ...nothing, run, behind: replayed ? run : null };
}

/** shown is the run as far as it is known. */
export const shown = (p: Progress): Run | null => p.behind ?? p.run;

/** caughtUp ends the showing of what was read: the events have come as far. */
export const caughtUp = (p: Progress): Progress => (p.behind ? { ...p, behind: null } : p);

/** apply is what is known after an event. */
export function apply(p: Progress, event: Told): Progress {
  const next = told(p, event);
  return next.behind && next.run && reached(next.run, next.behind) ? { ...next, behind: null } : next;
}

function told(p: Progress, { seq, kind, data }: Told): Progress {
  if (!p.run) return p;
  switch (kind) {
    case 'text': {
      const next = newer(p, seq, 'under', (run) => run);
      return next === p && seq > 0 ? p : { ...next, says: (data as { text: string }).text };
    }
    case 'run': return whole(p, seq, filledRun(data as Run));
    case 'plan': return newer(p, seq, 'plan', (run) => ({ ...run, plan: (data as { items: Item[] | null }).items ?? [] }));
    case 'step': {
      const step = filled(data as RunStep);
      return newer(p, seq, `step ${step.number}`, (run) => ({ ...run, steps: withStep(run.steps, step) }));
    }
    case 'candidates': return newer(p, seq, 'candidates', (run) => ({ ...run, candidates: (data as { candidates: Candidate[] | null }).candidates ?? [] }));
    case 'variant': {
      const variant = data as RunVariant;
      return newer(p, seq, `variant ${variant.name}`, (run) => ({ ...run, variants: [...run.variants.filter((v) => v.name !== variant.name), variant] }));
    }
    case 'ask': return newer(p, seq, 'question', (run) => ({ ...run, question: { ...(data as Question), choices: (data as Question).choices ?? [] } }));
    case 'usage': return newer(p, seq, 'spent', (run) => ({ ...run, spent: data as Spent }));
    case 'end': {
      const end = data as { status: RunStatus; summary?: string; problem?: RunProblem };
      return newer(p, seq, 'status', (run) => ({ ...run, status: end.status, summary: end.summary || run.summary, problem: end.problem, question: undefined }));
    }
    case 'check': {
      const { step, findings } = data as { step: number; findings: RunFinding[] | null }, check = { step, findings: findings ?? [] };
      const next = newer(p, seq, 'findings', (run) => ({ ...run, findings: check.findings }));
      return next === p ? p : { ...next, checked: check };
    }
    case 'step.start': {
      const under = data as { step: number; title: string };
      const next = newer(p, seq, 'under', (run) => run);
      return next === p ? p : { ...next, under, says: '' };
    }
    case 'tool': {
      const tool = data as { step: number; name: string; arguments?: unknown; error?: string };
      return act(p, { seq, step: tool.step, tool: { name: tool.name, arguments: fields(tool.arguments), error: tool.error || undefined } });
    }
    case 'look': {
      const { step, ...look } = data as { step: number; picture: string; size?: string; theme?: string };
      return act(p, { seq, step, look });
    }
  }
}

/** newer changes what an event tells of, unless a newer one has told of it. */
function newer(p: Progress, seq: number, what: string, change: (run: Run) => Run): Progress {
  if ((p.newest[what] ?? 0) >= seq) return p;
  return { ...p, run: change(p.run!), newest: { ...p.newest, [what]: seq } };
}

/** whole takes a run, but what newer events have told of it. */
function whole(p: Progress, seq: number, run: Run): Progress {
  const after = (what: string) => (p.newest[what] ?? 0) > seq;
  if (after('run')) return p;
  const old = p.run!;
  const parts = ['run', 'plan', 'candidates', 'question', 'spent', 'status', 'findings'];
  const steps = [...new Set([...run.steps, ...old.steps].map((s) => s.number))].flatMap((n) => {
    const of = (r: Run) => r.steps.find((s) => s.number === n);
    const step = after(`step ${n}`) ? of(old) : of(run);
    return step ? [step] : [];
  });
  const next: Run = {
    ...run, steps: inOrder(steps),
    plan: after('plan') ? old.plan : run.plan,
    candidates: after('candidates') ? old.candidates : run.candidates,
    question: after('question') ? old.question : run.question,
    spent: after('spent') ? old.spent : run.spent,
    findings: after('findings') ? old.findings : run.findings,
    variants: [...run.variants, ...old.variants.filter((v) => after(`variant ${v.name}`) && !run.variants.some((w) => w.name === v.name))],
    ...(after('status') ? { status: old.status, summary: old.summary, problem: old.problem } : {}),
  };
  const names = [...parts, ...run.steps.map((s) => `step ${s.number}`), ...run.variants.map((v) => `variant ${v.name}`)];
  return { ...p, run: next, newest: { ...p.newest, ...Object.fromEntries(names.filter((n) => !after(n)).map((n) => [n, seq])) } };
}

function act(p: Progress, one: Act): Progress {
  if (p.acts.some((a) => a.seq === one.seq)) return p;
  return { ...p, acts: [...p.acts, one].sort((a, b) => a.seq - b.seq) };
}

const inOrder = (steps: RunStep[]) => [...steps].sort((a, b) => a.number - b.number);
const withStep = (steps: RunStep[], step: RunStep) => inOrder([...steps.filter((s) => s.number !== step.number), step]);

function fields(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') {
    try {
      return fields(JSON.parse(value));
    } catch {
      return {};
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** reached says whether events have come as far as a run that was read. */
function reached(run: Run, read: Run): boolean {
  const settled = (r: Run) => r.steps.filter((s) => s.state !== 'pending').length;
  const done = (r: Run) => r.plan.filter((i) => i.state === 'done' || i.state === 'skipped').length;
  return run.steps.length >= read.steps.length && settled(run) >= settled(read) && done(run) >= done(read) && run.plan.length >= read.plan.length
    && run.candidates.length >= read.candidates.length && (isOpen(read) || !isOpen(run)) && run.question?.id === read.question?.id;
}
