// The copilot of one document: the run that is shown, what is asked of it, and
// the draft on the canvas, which follows its steps.

import { batch, computed, effect, signal } from '@preact/signals';

import { Failure, get, path, post } from '../../api/client.ts';
import { filledRun, isOpen, isReviewable, runOf, runsOf, type Model, type Run } from '../../api/copilot.ts';
import { pasted, rowsOf } from '../data/rows.ts';
import type { Doc } from '../document.ts';
import type { Clash } from '../model.ts';
import { apply, begin, caughtUp, nothing, shown, type Told } from './events.ts';
import { follow } from './follow.ts';

/** Blocked is why a step could not be taken back: what was done on top of it. */
export interface Blocked {
  step: number; // 0: all of them
  failure: Failure;
  clashes: Clash[];
}

const every = 5000; // ms between looks at what other windows did

export class Pilot {
  readonly progress = signal(nothing);
  readonly run = computed(() => shown(this.progress.value));
  readonly working = computed(() => this.run.value !== null && isOpen(this.run.value));
  readonly models = signal<Model[]>([]);
  readonly loaded = signal(false);
  readonly trouble = signal<unknown>(null); // of the last thing that was asked
  readonly blocked = signal<Blocked | null>(null);
  readonly busy = signal(false);
  readonly live = signal(true); // what is shown of a run is as it is now
  readonly past = signal(false); // an older run is shown
  readonly message = signal('');
  readonly model = signal('');

  private stop: (() => void) | undefined;
  private ends: (() => void)[] = [];
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = true;
  private looking = 0; // somebody sees the panel
  private left = ''; // the run that a person has turned away from

  constructor(readonly doc: Doc) {}

  /** open reads how it stands with this template, and follows it. */
  open(): void {
    if (!this.closed) return;
    this.closed = false;
    void this.read();
    let came = this.doc.came.value;
    const timer = setInterval(() => this.looking > 0 && void this.look(), every), now = () => void this.look();
    addEventListener('focus', now);
    this.ends = [
      effect(() => {
        if (this.doc.came.value !== came) void this.look();
        came = this.doc.came.value;
      }),
      effect(() => {
        this.doc.expecting.value = this.working.value;
      }),
      () => clearInterval(timer),
      () => removeEventListener('focus', now),
    ];
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.stop?.();
    this.stop = undefined;
    for (const end of this.ends) end();
    this.ends = [];
  }

  /** watch is called by who shows the run, and ended by what it returns. */
  watch(): () => void {
    this.looking++;
    void this.look();
    return () => this.looking--;
  }

  /** read asks for the models and the newest run. */
  async read(): Promise<void> {
    try {
      const [{ models }, { runs }] = await Promise.all([get<{ models: Model[] }>('/copilot/models'), get<{ runs: Run[] }>(runsOf(this.doc.id, { limit: 1 }))]);
      const [newest] = runs;
      batch(() => {
        this.models.value = models;
        if (!models.some((m) => m.name === this.model.value)) this.model.value = (models.find((m) => m.default) ?? models[0])?.name ?? '';
        this.trouble.value = null;
        this.loaded.value = true;
        if (newest && (isOpen(newest) || isReviewable(newest)) && !this.run.value) this.take(newest);
      });
    } catch (e) {
      this.trouble.value = e;
    }
  }

  /** look sees what other windows did, where no events tell of it. */
  private async look(): Promise<void> {
    const run = this.run.value;
    if (document.hidden || this.stop || this.busy.value || this.closed || !this.loaded.value) return;
    try {
      if (this.past.value) {
        if (run && isReviewable(run)) this.renew(await get<Run>(runOf(run.id)), run);
        return;
      }
      const [newest] = (await get<{ runs: Run[] }>(runsOf(this.doc.id, { limit: 1 }))).runs;
      if (!newest || this.busy.value || this.run.value !== run) return;
      if (newest.id === run?.id) this.renew(newest, run);
      else if (isOpen(newest) || !run && isReviewable(newest) && newest.id !== this.left) this.take(newest);
    } catch {
      // The next look asks again; whoever does something is told.
    }
  }

  private renew(read: Run, old: Run): void {
    if (this.run.value === old && JSON.stringify(filledRun(read)) !== JSON.stringify(old)) this.take(read);
  }

  // ---- Which run is shown.

  private take(run: Run): void {
    this.stop?.();
    this.stop = undefined;
    clearTimeout(this.retry);
    batch(() => {
      const { run: old, acts } = this.progress.value;
      this.progress.value = { ...begin(run, isOpen(run)), acts: old?.id === run.id ? acts : [] };
      this.live.value = true;
    });
    if (isOpen(run) && !this.closed) this.follow(run.id);
  }

  private follow(id: string): void {
    this.stop = follow(id, (e) => this.told(id, e), (on) => {
      this.live.value = on;
      // What was told before has been told again by then; and what was read would hide what comes.
      if (on) setTimeout(() => this.run.value?.id === id && (this.progress.value = caughtUp(this.progress.value)), 2000);
    }, () => {
      this.stop = undefined;
      this.retry = setTimeout(() => void this.again(id), 2000);
    });
  }

  private told(id: string, event: Told): void {
    if (this.progress.value.run?.id !== id) return;
    this.progress.value = apply(this.progress.value, event);
    if (event.kind === 'step' && !this.progress.value.behind) void this.doc.follow();
    if (event.kind === 'end') {
      this.stop = undefined;
      void this.again(id);
    }
  }

  /** again reads the run that is shown, and goes on with it. */
  private async again(id: string): Promise<void> {
    try {
      const run = await get<Run>(runOf(id));
      if (this.run.value?.id !== id || this.closed) return;
      this.take(run);
      void this.doc.follow();
    } catch (e) {
      if (this.run.value?.id !== id || this.closed) return;
      if (e instanceof Failure && e.status === 404) {
        this.leave();
        this.trouble.value = e;
      } else this.retry = setTimeout(() => void this.again(id), 3000);
    }
  }

  /** show opens a run of before. */
  async show(id: string): Promise<void> {
    await this.ask(async () => {
      const run = await get<Run>(runOf(id));
      this.past.value = !isOpen(run);
      return run;
    });
  }

  /** leave shows no run. */
  leave(): void {
    this.stop?.();
    this.stop = undefined;
    clearTimeout(this.retry);
    this.left = this.run.value?.id ?? '';
    batch(() => {
      this.progress.value = nothing;
      this.past.value = false;
      this.blocked.value = null;
      this.trouble.value = null;
    });
  }

  // ---- What a person asks.

  /** start sends a message; it promises whether it was taken. */
  start(message: string): Promise<boolean> {
    const { doc } = this, from = rowsOf(doc).from.value;
    this.past.value = false;
    return this.ask(() => post<Run>('/copilot/runs', {
      template: doc.id, message, layers: doc.selection.value, size: doc.size.value?.name, theme: doc.order.value.theme, model: this.model.value || undefined,
      rows: from !== pasted && from !== 'samples' ? { from } : undefined, // else the best that there are
    }));
  }

  cancel(): Promise<boolean> {
    return this.order('cancel');
  }

  answer(question: string, answer: string): Promise<boolean> {
    return this.order('answer', { question, answer });
  }

  accept(step?: number): Promise<boolean> {
    return this.order(step === undefined ? 'accept' : `steps/${step}/accept`);
  }

  /** reject takes a step back; accepted, that it was accepted before. */
  reject(step: number, accepted = false): Promise<boolean> {
    return this.order(`steps/${step}/${accepted ? 'undo' : 'reject'}`, {}, step);
  }

  discard(): Promise<boolean> {
    return this.order('discard', {}, 0);
  }

  pick(name: string): Promise<boolean> {
    return this.order(path`candidates/${name}/pick`, {}, 0);
  }

  private order(what: string, body: unknown = {}, step?: number): Promise<boolean> {
    const id = this.run.value?.id;
    return id ? this.ask(() => post<Run>(`${runOf(id)}/${what}`, body), step) : Promise.resolve(false);
  }

  private async ask(request: () => Promise<Run>, step?: number): Promise<boolean> {
    batch(() => {
      this.busy.value = true;
      this.trouble.value = null;
      this.blocked.value = null;
    });
    try {
      const run = await request();
      if (this.run.value?.id !== run.id || !isOpen(run) || !this.stop) this.take(run); // else its events tell
      await this.doc.follow();
      return true;
    } catch (e) {
      if (step !== undefined && e instanceof Failure && Array.isArray(e.body.conflicts)) this.blocked.value = { step, failure: e, clashes: e.body.conflicts as Clash[] };
      else this.trouble.value = e;
      return false;
    } finally {
      this.busy.value = false;
    }
  }

  /** takeOpen shows the run that another one has to wait for. */
  async takeOpen(): Promise<void> {
    try {
      const open = (await get<{ runs: Run[] }>(runsOf(this.doc.id, { limit: 20 }))).runs.find(isOpen);
      batch(() => {
        this.trouble.value = null;
        this.past.value = false;
      });
      if (open) this.take(open);
    } catch (e) {
      this.trouble.value = e;
    }
  }
}

const kept = new WeakMap<Doc, Pilot>();

/** pilotOf is the copilot of a document, the same for each part of the editor. */
export function pilotOf(doc: Doc): Pilot {
  let pilot = kept.get(doc);
  if (!pilot) kept.set(doc, (pilot = new Pilot(doc)));
  return pilot;
}
