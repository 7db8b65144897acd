// When a variant of a smart link is shown: rules and groups of rules.

import type { Condition } from '../../../api/experiments.ts';
import { Input, Select } from '../../../ui/field.tsx';

const deepest = 3;

const properties = [{ value: 'device', label: 'Device' }, { value: 'country', label: 'Country' }, { value: 'time', label: 'Time' }, { value: 'custom', label: 'What you send …' }];
const words = { equals: 'is', not_equals: 'is not', in: 'is one of', not_in: 'is none of', contains: 'contains', gt: 'is more than', gte: 'is at least', lt: 'is less than', lte: 'is at most', between: 'is between' } as const;
const orders = { gt: 'is after', gte: 'is from', lt: 'is before', lte: 'is until', between: 'is between' } as const;
const choices = (of: Record<string, string>) => Object.entries(of).map(([value, label]) => ({ value, label }));
const { gt, gte, lt, lte, between, ...equalities } = words;

const operatorsOf = (property: string) => (property === 'time' ? choices(orders) : property.startsWith('custom') ? choices({ ...equalities, gt, gte, lt, lte, between }) : choices(equalities));
const severalOf = (operator: string) => operator === 'in' || operator === 'not_in';

const firstRule = (): Condition => ({ type: 'rule', property: 'device', operator: 'equals', value: 'mobile' });

type Rule = Extract<Condition, { type: 'rule' }>;
type Group = Extract<Condition, { type: 'group' }>;

// valueOf is a typed text as a rule has it: a list where it is one of several, a number where it is compared by size.
function valueOf(rule: Rule, typed: string): unknown {
  if (severalOf(rule.operator)) return typed.split(',').map((t) => t.trim()).filter(Boolean);
  const sized = rule.property !== 'time' && ['gt', 'gte', 'lt', 'lte'].includes(rule.operator);
  return sized && typed.trim() !== '' && Number.isFinite(Number(typed)) ? Number(typed) : typed;
}

const typedOf = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : value === undefined || value === null ? '' : String(value));
const local = (time: unknown): string => {
  const at = typeof time === 'string' && time ? new Date(time) : null;
  return at && !Number.isNaN(at.getTime()) ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '';
};
const instant = (typed: string): string => (typed ? new Date(typed).toISOString() : '');

/** ConditionGroup edits a group and all that is in it. */
export function ConditionGroup({ of: g, change, remove, depth = 1, label }: { of: Group; change: (g: Group) => void; remove?: () => void; depth?: number; label: string }) {
  const put = (at: number, child: Condition | null) => change({ ...g, children: child ? g.children.map((c, i) => (i === at ? child : c)) : g.children.filter((_, i) => i !== at) });
  return (
    <fieldset class="group conditions">
      <legend>{label}</legend>
      <div class="row">
        <Select aria-label={`${label}: how many must hold`} value={g.operator} change={(operator) => change({ ...g, operator: operator as Group['operator'] })} choices={[{ value: 'AND', label: 'All of these hold' }, { value: 'OR', label: 'One of these holds' }]} />
        {remove && <button type="button" class="button" onClick={remove}>Remove the group</button>}
      </div>
      {g.children.length === 0 && <p class="soft small">Without a rule it always holds.</p>}
      <ul class="stack tight">
        {g.children.map((child, i) => (
          <li key={i}>{child.type === 'group'
            ? <ConditionGroup of={child} change={(c) => put(i, c)} remove={() => put(i, null)} depth={depth + 1} label={`${label}, group ${i + 1}`} />
            : <RuleLine of={child} change={(c) => put(i, c)} remove={() => put(i, null)} label={`Rule ${i + 1}`} />}
          </li>
        ))}
      </ul>
      <div class="row">
        <button type="button" class="button" onClick={() => change({ ...g, children: [...g.children, firstRule()] })}>Add a rule</button>
        {depth < deepest && <button type="button" class="button" onClick={() => change({ ...g, children: [...g.children, { type: 'group', operator: g.operator === 'AND' ? 'OR' : 'AND', children: [firstRule()] }] })}>Add a group</button>}
      </div>
    </fieldset>
  );
}

function RuleLine({ of: r, change, remove, label }: { of: Rule; change: (r: Rule) => void; remove: () => void; label: string }) {
  const custom = r.property.startsWith('custom');
  const ask = (property: string) => {
    const operators = operatorsOf(property);
    change({ ...r, property: property === 'custom' ? 'custom.' : property, operator: operators.some((o) => o.value === r.operator) ? r.operator : operators[0]!.value, value: property === 'device' ? 'mobile' : '' });
  };
  const compare = (operator: string) => change({ ...r, operator, value: operator === 'between' ? ['', ''] : valueOf({ ...r, operator }, typedOf(Array.isArray(r.value) && !severalOf(operator) ? r.value[0] : r.value)) });
  const ends = Array.isArray(r.value) ? r.value : ['', ''];
  const time = r.property === 'time';
  return (
    <div class="rule">
      <Select aria-label={`${label}: property`} value={custom ? 'custom' : r.property} change={ask} choices={properties} />
      {custom && <Input aria-label={`${label}: name`} value={r.property.replace(/^custom\.?/, '')} change={(name) => change({ ...r, property: `custom.${name}` })} placeholder="plan" required />}
      <Select aria-label={`${label}: comparison`} value={r.operator} change={compare} choices={operatorsOf(r.property)} />
      {r.operator === 'between'
        ? <>{[0, 1].map((end) => <Input key={end} aria-label={`${label}: ${end ? 'end' : 'beginning'}`} type={time ? 'datetime-local' : 'text'} value={time ? local(ends[end]) : typedOf(ends[end])} required change={(v) => change({ ...r, value: ends.map((had, i) => (i === end ? (time ? instant(v) : Number.isFinite(Number(v)) && v !== '' ? Number(v) : v) : had)) })} />)}</>
        : time
          ? <Input aria-label={`${label}: value`} type="datetime-local" value={local(r.value)} required change={(v) => change({ ...r, value: instant(v) })} />
          : <Typed label={`${label}: value`} rule={r} change={(v) => change({ ...r, value: valueOf(r, v) })} />}
      <button type="button" class="button" aria-label={`${label}: remove`} onClick={remove}>×</button>
    </div>
  );
}

function Typed({ label, rule: r, change }: { label: string; rule: Rule; change: (typed: string) => void }) {
  if (r.property === 'device' && !severalOf(r.operator) && r.operator !== 'contains') return <Select aria-label={label} value={typedOf(r.value)} change={change} choices={['mobile', 'tablet', 'desktop']} />;
  const placeholder = severalOf(r.operator) ? { device: 'mobile, tablet', country: 'DE, AT, CH' }[r.property] ?? 'one, two' : { country: 'DE' }[r.property] ?? 'value';
  return <Input aria-label={label} value={typedOf(r.value)} change={change} placeholder={placeholder} required />;
}
