// Undo and redo: for each step the operations that take it back, as the daemon
// gave them.

import { computed, signal } from '@preact/signals';

import type { Op } from './model.ts';
import type { Edit } from './queue.ts';

interface Step {
  label: string;
  inverse: Op[];
  merge?: string;
  at?: number;
}

const pause = 1500; // ms after which the same word is another step

export class History {
  private readonly undone = signal<Step[]>([]); // to redo, last first
  private readonly done = signal<Step[]>([]);
  readonly canUndo = computed(() => this.done.value.length > 0);
  readonly canRedo = computed(() => this.undone.value.length > 0);

  /** resolve gives the operations of an edit when its turn has come, null where there is nothing to take back. */
  resolve(edit: Edit): Op[] | null {
    if (!edit.back) return edit.ops ?? null;
    const step = this.stack(edit.back).value.at(-1);
    if (!step) return null;
    edit.label = step.label;
    return step.inverse;
  }

  /** took notes what an edit did. */
  took(edit: Edit, inverse: Op[]): void {
    if (edit.back) {
      const from = this.stack(edit.back), to = this.stack(edit.back === 'undo' ? 'redo' : 'undo');
      from.value = from.value.slice(0, -1);
      to.value = [...to.value, { label: edit.label, inverse }];
      return;
    }
    this.add({ label: edit.label, inverse, merge: edit.merge });
  }

  add(step: Step): void {
    const last = this.done.value.at(-1), at = Date.now();
    this.undone.value = [];
    if (last && step.merge && last.merge === step.merge && at - (last.at ?? 0) < pause) {
      this.done.value = [...this.done.value.slice(0, -1), { ...last, inverse: [...step.inverse, ...last.inverse], at }];
    } else this.done.value = [...this.done.value, { ...step, at }];
  }

  /** drop forgets a step that can't be taken back. */
  drop(which: 'undo' | 'redo'): void {
    const stack = this.stack(which);
    stack.value = stack.value.slice(0, -1);
  }

  private stack(which: 'undo' | 'redo') {
    return which === 'undo' ? this.done : this.undone;
  }
}
