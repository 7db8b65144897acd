// What a person did and the daemon has not confirmed yet. One request is on its
// way at a time; what could not be sent is kept, in order, and sent when the
// daemon is back. Each request has a key of its own, so that one whose answer was
// lost is not done twice.

import { Failure, request, signedOut } from '../api/client.ts';
import { unique } from '../api/unique.ts';
import type { Edited, Op, Order } from './model.ts';

export interface Edit {
  label: string;
  merge?: string; // edits in a row with the same word are one step of undo
  ops?: Op[]; // of an edit
  source?: string; // else the whole text
  back?: 'undo' | 'redo'; // else a step of the history, chosen when its turn comes
}

interface Waiting extends Edit {
  key: string;
  body?: string; // as it was sent first: the same key stands for the same bytes
  done: (ok: boolean) => void;
}

export type Saving = 'saved' | 'saving' | 'conflict' | 'failed' | 'offline';

/** What the queue asks of the document. */
export interface Owner {
  path: string;
  revision: () => number;
  view: () => Order;
  author: () => string;
  /** resolve gives the operations of an edit when its turn comes; null drops it. */
  resolve: (edit: Edit) => Op[] | null;
  took: (edit: Edit, answer: Edited) => void;
  refused: (edit: Edit, failure: Failure) => Promise<void>;
  clashed: (edit: Edit, failure: Failure) => Promise<void>;
  state: (saving: Saving, waiting: number) => void;
}

const pauses = [500, 1000, 2000, 4000, 8000];

export class Queue {
  private readonly waiting: Waiting[] = [];
  private busy = false;
  private stopped = false;
  private held = false; // a conflict waits for a person's word
  private wake: (() => void) | undefined;

  constructor(private readonly owner: Owner) {
    addEventListener('online', this.nudge);
  }

  private readonly nudge = () => this.wake?.();

  get length(): number {
    return this.waiting.length;
  }

  /** pending are the edits that the daemon has not confirmed, oldest first. */
  get pending(): readonly Edit[] {
    return this.waiting;
  }

  /** add promises whether the edit was taken. */
  add(edit: Edit): Promise<boolean> {
    return new Promise((done) => {
      const last = this.waiting.at(-1);
      if (last && edit.merge && last.merge === edit.merge && edit.ops && last.ops && !last.body) {
        const before = last.done;
        last.ops = [...last.ops, ...edit.ops];
        last.done = (ok) => {
          before(ok);
          done(ok);
        };
      } else {
        this.waiting.push({ ...edit, key: unique(), done });
      }
      void this.pump();
    });
  }

  /** release goes on after a conflict; again sends the edit that met it once more, else it is dropped. */
  release(again: boolean): void {
    if (!this.held) return;
    this.held = false;
    const first = this.waiting[0];
    if (first && again) {
      first.key = unique();
      first.body = undefined;
    }
    else if (first) this.waiting.shift()!.done(false);
    void this.pump();
  }

  stop(): void {
    this.stopped = true;
    removeEventListener('online', this.nudge);
    this.nudge();
  }

  private async pump(): Promise<void> {
    if (this.busy || this.held) return;
    this.busy = true;
    let tries = 0;
    while (this.waiting.length > 0 && !this.stopped && !this.held) {
      const edit = this.waiting[0]!;
      const ops = edit.source === undefined ? this.owner.resolve(edit) : null;
      if (edit.source === undefined && (!ops || ops.length === 0)) {
        this.waiting.shift()!.done(false);
        continue;
      }
      if (tries === 0) this.owner.state('saving', this.waiting.length);
      try {
        const answer = await this.send(edit, ops);
        tries = 0;
        this.waiting.shift();
        this.owner.took(edit, answer);
        edit.done(true);
      } catch (fault) {
        const failure = fault instanceof Failure ? fault : new Failure(0, 'unexpected', String(fault));
        if (await this.passing(failure, tries)) {
          tries++;
          continue;
        }
        tries = 0;
        if (failure.status === 409 && Array.isArray(failure.body.conflicts) || failure.status === 412) {
          this.held = true;
          this.owner.state('conflict', this.waiting.length);
          await this.owner.clashed(edit, failure);
          break;
        }
        this.waiting.shift();
        this.owner.state('failed', this.waiting.length);
        await this.owner.refused(edit, failure);
        edit.done(false);
        if (this.waiting.length === 0) {
          this.busy = false;
          return;
        }
      }
    }
    this.busy = false;
    if (!this.held && !this.stopped) {
      if (this.waiting.length > 0) void this.pump();
      else this.owner.state('saved', 0);
    }
  }

  private async send(edit: Waiting, ops: Op[] | null): Promise<Edited> {
    const head = { ifMatch: `"${this.owner.revision()}"`, headers: { 'Idempotency-Key': edit.key } };
    const what = edit.source === undefined ? { ops } : { html: edit.source };
    edit.body ??= JSON.stringify({ ...what, author: this.owner.author() || undefined, view: this.owner.view() });
    const as = { body: edit.body, type: 'application/json' };
    const answer = edit.source === undefined
      ? await request<Edited>(this.owner.path, { ...head, method: 'PATCH', ...as })
      : await request<Edited>(`${this.owner.path}/source`, { ...head, method: 'PUT', ...as });
    return answer.data;
  }

  /** passing waits for what passes by itself: a daemon that is away, a key that has ended. */
  private async passing(failure: Failure, tries: number): Promise<boolean> {
    if (failure.status === 401) {
      this.owner.state('offline', this.waiting.length);
      await new Promise<void>((next) => {
        this.wake = next;
        const end = signedOut.subscribe((out) => !out && queueMicrotask(() => { end(); next(); }));
      });
      return !this.stopped;
    }
    if (failure.status !== 0 && failure.status < 500 && failure.status !== 429) return false;
    if (failure.status === 500 || failure.slug === 'unexpected') return false;
    this.owner.state('offline', this.waiting.length);
    await new Promise<void>((next) => {
      this.wake = next;
      setTimeout(next, pauses[Math.min(tries, pauses.length - 1)]);
    });
    return !this.stopped;
  }
}
