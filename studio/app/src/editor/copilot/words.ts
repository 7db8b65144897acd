// The words for what the copilot does and how it goes.

import type { Item, Run, RunFinding, RunStatus, RunStep, Spent } from '../../api/copilot.ts';
import type { Level } from '../../ui/show.tsx';
import { count, counted, span } from '../../ui/words.ts';

export const statuses: Record<RunStatus, [Level, string]> = {
  running: ['busy', 'Working'],
  waiting: ['paused', 'Waits for your answer'],
  needs_review: ['warn', 'Waits for your review'],
  accepted: ['ok', 'Accepted'],
  discarded: ['quiet', 'Discarded'],
  failed: ['error', 'Ended early'],
  cancelled: ['paused', 'Cancelled'],
};

export const items: Record<Item['state'], string> = { todo: 'to do', doing: 'doing', done: 'done', skipped: 'skipped' };

export const steps: Record<RunStep['state'], [Level, string]> = {
  pending: ['warn', 'To review'],
  accepted: ['ok', 'Accepted'],
  rejected: ['quiet', 'Taken back'],
};

const named = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);

type Fields = Record<string, unknown>;

const where = (a: Fields) => (typeof a.size === 'string' && a.size ? ` in ${a.size}` : '');
const look = (a: Fields) => [a.size, a.theme].filter((v) => typeof v === 'string' && v !== '').join(', ');

const tools: Record<string, (a: Fields, title: (id: unknown) => string) => string> = {
  get_outline: () => 'Reads the layers',
  get_layer: (a, t) => `Reads ${t(a.id)}`,
  list_vars: () => 'Reads the variables',
  get_rows: () => 'Reads some rows',
  list_fonts: () => 'Reads the fonts',
  list_assets: () => 'Reads the pictures',
  render_preview: (a) => `Draws a preview${look(a) && ` (${look(a)})`}`,
  check: (a) => `Checks the pictures${look(a) && ` (${look(a)})`}`,
  set_plan: () => 'Makes a plan',
  finish_step: () => 'Draws and checks the step',
  finish: () => 'Sums up',
  ask_user: () => 'Asks you',
  set_text: (a, t) => `Writes the text of ${t(a.id)}`,
  set_style: (a, t) => `Sets ${named(a.property, 'the style')} of ${t(a.id)}${where(a)}`,
  set_box: (a, t) => `Moves ${t(a.id)}${where(a)}`,
  set_attr: (a, t) => `Sets ${named(a.name, 'an attribute')} of ${t(a.id)}`,
  set_hidden: (a, t) => `${a.hidden === false ? 'Shows' : 'Hides'} ${t(a.id)}${where(a)}`,
  bind: (a, t) => `Binds ${named(a.target, 'a property')} of ${t(a.id)}`,
  add_layer: () => 'Adds a layer',
  duplicate_layer: (a, t) => `Duplicates ${t(a.id)}`,
  remove_layer: (a, t) => `Removes ${t(a.id)}`,
  move_layer: (a, t) => `Moves ${t(a.id)} in the order of layers`,
  group: () => 'Groups layers',
  ungroup: (a, t) => `Ungroups ${t(a.id)}`,
  align: () => 'Aligns layers',
  distribute: () => 'Distributes layers',
  set_token: (a) => `Sets the token ${named(a.name, '')}${typeof a.theme === 'string' && a.theme ? ` of the theme ${a.theme}` : ''}`,
  tokenize_colors: () => 'Makes tokens of the colours',
  derive_dark_theme: () => 'Derives a dark theme, and measures its contrast',
  add_size: (a) => `Adds the size ${named(a.preset, named(a.name, ''))}`,
  relayout: (a) => `Lays out ${named(a.size, 'a size')}`,
  generate_backgrounds: (a) => `Makes ${typeof a.count === 'number' ? counted(a.count, 'background') : 'backgrounds'}`,
  pick_background: (a) => `Takes the background ${named(a.name, '')}`,
  create_variant: (a) => `Notes the variant ${named(a.name, '')}`,
};

/** toolWords is a call of a tool as somebody reads it; title is what people call a layer. */
export function toolWords(name: string, a: Fields, title: (id: string) => string): string {
  const said = tools[name];
  return said ? said(a, (id) => (typeof id === 'string' && id !== '' ? title(id) : 'a layer')).trim() : name.replaceAll('_', ' ');
}

/** ratioWords is a contrast as people say it. */
export const ratioWords = (f: Pick<RunFinding, 'ratio' | 'need'>): string => (f.ratio && f.need ? `${short(f.ratio)} : 1, needs ${short(f.need)} : 1` : '');

const short = (n: number) => String(Math.floor(n * 10) / 10);

/** viewWords names a size and a theme. */
export const viewWords = (v: { size?: string; theme?: string; row?: string }): string => [v.size, v.theme && `${v.theme} theme`, v.row && `row: ${v.row}`].filter(Boolean).join(', ');

/** statusOf is how a run stands: one that was discarded, and of which something was taken after all, is accepted. */
export const statusOf = (run: Run): RunStatus => (run.status === 'discarded' && run.steps.some((s) => s.state === 'accepted') ? 'accepted' : run.status);

/** spentWords is what a run has used up. */
export function spentWords(s: Spent): string[] {
  const tokens = s.tokens.in + s.tokens.out;
  return [span(s.seconds), counted(s.calls, 'tool call'), ...(tokens > 0 ? [`${count(tokens)} tokens`] : ['no tokens']), ...(s.cost > 0 ? [`cost ${s.cost < 0.01 ? s.cost.toPrecision(1) : s.cost.toFixed(2)}`] : [])];
}

/** progressWords is how far a run is, for who does not see it. */
export function progressWords(run: Run | null, doing: string): string {
  if (!run) return '';
  const [, status] = statuses[statusOf(run)];
  if (run.status === 'waiting') return run.question?.text ?? status;
  if (run.status !== 'running') {
    const standing = run.steps.filter((s) => s.state === 'pending').length;
    return `Copilot: ${status}. ${standing > 0 ? `${counted(standing, 'step')} to review. ` : ''}${run.problem?.message ?? run.summary ?? ''}`;
  }
  const at = run.plan.findIndex((i) => i.state === 'doing');
  return at < 0 ? `Copilot: ${doing}` : `Copilot: ${at + 1} of ${run.plan.length}, ${run.plan[at]!.text}`;
}
