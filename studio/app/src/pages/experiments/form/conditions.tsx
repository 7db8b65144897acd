// When a variant of a smart link is shown: rules and groups of rules.

import type { Condition } from '../../../api/experiments.ts';
import { Input, Select } from '../../../ui/field.tsx';

const deepest = 3;

type Rule = Extract<Condition, { type: 'rule' }>;
type Group = Extract<Condition, { type: 'group' }>;

/** A Kind is what a rule is about: a property, and times in two forms. */
type Kind = 'device' | 'country' | 'clock' | 'moment' | 'custom';

const kinds: { value: Kind; label: string }[] = [{ value: 'device', label: 'Device' }, { value: 'country', label: 'Country' }, { value: 'clock', label: 'Time of day, UTC' }, { value: 'moment', label: 'Date and time' }, { value: 'custom', label: 'What you send …' }];
const sets = { equals: 'is', not_equals: 'is not', in: 'is one of', not_in: 'is none of' };
const times = { between: 'is between', gte: 'is from', lt: 'is before' };
const orders = { contains: 'contains', gt: 'is more than', gte: 'is at least', lt: 'is less than', lte: 'is at most' };
const choices = (of: Record<string, string>) => Object.entries(of).map(([value, label]) => ({ value, label }));
const operators: Record<Kind, { value: string; label: string }[]> = { device: choices(sets), country: choices(sets), clock: choices(times), moment: choices({ ...times, gt: 'is after', lte: 'is up to' }), custom: choices({ ...sets, ...orders }) };
const begins: Record<Kind, Omit<Rule, 'type'>> = {
  device: { property: 'device', operator: 'equals', value: 'mobile' }, country: { property: 'country', operator: 'in', value: [] }, clock: { property: 'time', operator: 'between', value: ['09:00', '17:00'] },
  moment: { property: 'time', operator: 'gte', value: '' }, custom: { property: 'custom.', operator: 'equals', value: '' },
};

const several = (operator: string) => operator === 'in' || operator === 'not_in';
const clock = /^\d\d:\d\d$/;

function kindOf(r: Rule): Kind {
  if (r.property === 'device' || r.property === 'country') return r.property;
  if (r.property !== 'time') return 'custom';
  const first: unknown = Array.isArray(r.value) ? r.value[0] : r.value;
  return typeof first === 'string' && clock.test(first) ? 'clock' : 'moment';
}

const rule = (kind: Kind): Rule => ({ type: 'rule', ...begins[kind] });
const typedOf = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : value === undefined || value === null ? '' : String(value));
const listOf = (typed: string): string[] => typed.split(',').map((t) => t.trim()).filter(Boolean);

/** valueOf fits a value to an operator: a list of some, two ends, or one. */
function valueOf(value: unknown, operator: string, kind: Kind): unknown {
  const all = Array.isArray(value) ? (value as unknown[]) : kind === 'clock' || kind === 'moment' || !several(operator) ? [value] : listOf(typedOf(value));
  if (several(operator)) return all;
  return operator === 'between' ? [all[0] ?? '', all[1] ?? all[0] ?? ''] : all[0] ?? '';
}

/** ConditionGroup edits a group and all that is in it; wrong is what is said of a path below it. */
export function ConditionGroup({ of: g, change, remove, wrong, depth = 1, label }: { of: Group; change: (g: Group) => void; remove?: () => void; wrong: (path: string) => string | undefined; depth?: number; label: string }) {
  const put = (at: number, child: Condition | null) => change({ ...g, children: child ? g.children.map((c, i) => (i === at ? child : c)) : g.children.filter((_, i) => i !== at) });
  const said = wrong('') ?? wrong('.children');
  return (
    <fieldset class="group conditions">
      <legend>{label}</legend>
      <div class="row">
        <Select aria-label={`${label}: how many must hold`} value={g.operator} change={(operator) => change({ ...g, operator: operator as Group['operator'] })} choices={[{ value: 'AND', label: 'All of these hold' }, { value: 'OR', label: 'One of these holds' }]} />
        {remove && <button type="button" class="button" onClick={remove}>Remove the group</button>}
      </div>
      {g.children.length === 0 && <p class="soft small">It needs a rule: without one it is never shown.</p>}
      <ul class="stack tight">
        {g.children.map((child, i) => (
          <li key={i}>{child.type === 'group'
            ? <ConditionGroup of={child} change={(c) => put(i, c)} remove={() => put(i, null)} wrong={(path) => wrong(`.children[${i}]${path}`)} depth={depth + 1} label={`${label}, group ${i + 1}`} />
            : <RuleLine of={child} change={(c) => put(i, c)} remove={() => put(i, null)} wrong={(path) => wrong(`.children[${i}]${path}`)} label={`Rule ${i + 1}`} />}
          </li>
        ))}
      </ul>
      {said && <p class="wrong" role="alert">{said}</p>}
      <div class="row">
        <button type="button" class="button" onClick={() => change({ ...g, children: [...g.children, rule('device')] })}>Add a rule</button>
        {depth < deepest && <button type="button" class="button" onClick={() => change({ ...g, children: [...g.children, { type: 'group', operator: g.operator === 'AND' ? 'OR' : 'AND', children: [rule('device')] }] })}>Add a group</button>}
      </div>
    </fieldset>
  );
}

function RuleLine({ of: r, change, remove, wrong, label }: { of: Rule; change: (r: Rule) => void; remove: () => void; wrong: (path: string) => string | undefined; label: string }) {
  const kind = kindOf(r);
  const said = ['', '.property', '.operator', '.value'].map(wrong).find(Boolean);
  return (
    <>
      <div class="rule">
        <Select aria-label={`${label}: what it is about`} value={kind} change={(next) => change(rule(next as Kind))} choices={kinds} />
        {kind === 'custom' && <Input aria-label={`${label}: name`} value={r.property.replace(/^custom\.?/, '')} change={(name) => change({ ...r, property: `custom.${name}` })} placeholder="plan" required />}
        <Select aria-label={`${label}: comparison`} value={r.operator} change={(operator) => change({ ...r, operator, value: valueOf(r.value, operator, kind) })} choices={operators[kind]} />
        <Value label={`${label}: value`} of={r} kind={kind} change={(value) => change({ ...r, value })} />
        <button type="button" class="button" aria-label={`${label}: remove`} onClick={remove}>×</button>
      </div>
      {said && <p class="wrong" role="alert">{said}</p>}
    </>
  );
}

const local = (time: unknown): string => {
  const at = typeof time === 'string' && time ? new Date(time) : null;
  return at && !Number.isNaN(at.getTime()) ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '';
};

function Value({ label, of: r, kind, change }: { label: string; of: Rule; kind: Kind; change: (value: unknown) => void }) {
  if (kind === 'clock' || kind === 'moment') {
    const ends = Array.isArray(r.value) ? r.value : [r.value];
    return (
      <>
        {ends.map((end, i) => (
          <Input key={i} aria-label={ends.length > 1 ? `${label}, ${i ? 'end' : 'beginning'}` : label} type={kind === 'clock' ? 'time' : 'datetime-local'} value={kind === 'clock' ? typedOf(end) : local(end)} required change={(typed) => {
            const next = kind === 'clock' || typed === '' ? typed : new Date(typed).toISOString();
            if (kind === 'clock' && next === '') return; // a time of day is never empty: it could not be told from a moment
            change(Array.isArray(r.value) ? ends.map((had, k) => (k === i ? next : had)) : next);
          }} />
        ))}
      </>
    );
  }
  if (kind === 'device' && !several(r.operator)) return <Select aria-label={label} value={typedOf(r.value)} change={change} choices={['mobile', 'tablet', 'desktop']} />;
  if (several(r.operator)) return <Listed label={label} value={r.value} change={change} placeholder={{ device: 'mobile, tablet', country: 'DE, AT, CH' }[kind as string] ?? 'gold, silver'} />;
  return <Input aria-label={label} value={typedOf(r.value)} change={change} placeholder={kind === 'country' ? 'DE' : 'gold'} required />;
}

/** Listed are some words with commas; a comma that was just typed stays. */
function Listed({ label, value, change, placeholder }: { label: string; value: unknown; change: (value: string[]) => void; placeholder: string }) {
  const words = typedOf(value);
  return <input class="input" aria-label={label} defaultValue={words} placeholder={placeholder} required onInput={(e) => change(listOf(e.currentTarget.value))} />;
}
