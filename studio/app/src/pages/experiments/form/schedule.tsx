// When a scheduled variant is shown: between two times, and in windows that come
// again.

import type { Recurrence, Schedule } from '../../../api/experiments.ts';
import { Field, Input, Select } from '../../../ui/field.tsx';
import { scheduleWords } from '../words.ts';

const kinds = [{ value: 'none', label: 'All the time between' }, { value: 'daily', label: 'Each day' }, { value: 'weekly', label: 'Each week' }, { value: 'cron', label: 'By a cron expression' }];

const local = (time: string | null | undefined): string => {
  if (!time) return '';
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const instant = (typed: string): string | undefined => (typed ? new Date(typed).toISOString() : undefined);

const here = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** ScheduleFields edits when a variant is shown. */
export function ScheduleFields({ of: s, change, wrong }: { of: Schedule; change: (s: Schedule) => void; wrong: (field: string) => string | undefined }) {
  const r: Recurrence = s.recurrence ?? { type: 'none' };
  const again = (more: Partial<Recurrence>) => change({ ...s, recurrence: { ...r, ...more } });
  const kind = (type: string) => change({ ...s, recurrence: type === 'none' ? null : { ...r, type: type as Recurrence['type'], durationMinutes: r.durationMinutes ?? 60, timezone: r.timezone ?? here() } });
  return (
    <fieldset class="group">
      <legend>Shown</legend>
      <div class="outputs">
        <Field label="From" help="Your time" wrong={wrong('startAt')}><Input type="datetime-local" value={local(s.startAt)} change={(v) => change({ ...s, startAt: instant(v) })} /></Field>
        <Field label="Until" wrong={wrong('endAt')}><Input type="datetime-local" value={local(s.endAt)} change={(v) => change({ ...s, endAt: instant(v) })} /></Field>
        <Field label="How often" wrong={wrong('recurrence')}><Select value={r.type} change={kind} choices={kinds} /></Field>
      </div>
      {r.type !== 'none' && (
        <div class="outputs">
          {r.type === 'cron' && <Field label="A window begins at" help="Minute, hour, day of month, month, day of week" wrong={wrong('recurrence.cronExpression')}><Input class="input mono" value={r.cronExpression ?? ''} change={(cronExpression) => again({ cronExpression })} placeholder="0 18 * * FRI" required /></Field>}
          <Field label="And lasts, in minutes" wrong={wrong('recurrence.durationMinutes')}><Input inputMode="numeric" value={r.durationMinutes ? String(r.durationMinutes) : ''} change={(v) => again({ durationMinutes: Number(v.replace(/\D/g, '')) || undefined })} required /></Field>
          <Field label="Timezone" wrong={wrong('recurrence.timezone')}><Input value={r.timezone ?? ''} change={(timezone) => again({ timezone })} placeholder="Europe/Berlin" list="timezones" /></Field>
        </div>
      )}
      {r.type === 'daily' || r.type === 'weekly' ? <p class="soft small">Windows begin at the time of “From”{r.type === 'weekly' && ', on its day of the week'}.</p> : null}
      {wrong('') && <p class="wrong" role="alert">{wrong('')}</p>}
      <p class="soft small" role="status">Shown {scheduleWords(s)}.</p>
    </fieldset>
  );
}
