// A form made of a JSON Schema: what the daemon says of a configuration is what
// a person fills in.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Field, Input, Select, Tick } from '../field.tsx';
import { count } from '../words.ts';
import { JsonField, ListField, PairsField, SecretField } from './fields.tsx';
import { type Document, put, requiredOf, type Schema, shapeOf } from './shape.ts';

export type Faults = Record<string, string>; // by the field's path

interface FormProps {
  schema: Schema;
  value: Document;
  change: (value: Document) => void;
  faults: Faults;
  at?: string; // the path of the document in the whole
  skip?: string[];
}

const fewest = 4; // fields that are always seen

/** SchemaForm has a field for each property; those that are seldom needed are folded. */
export function SchemaForm({ schema, value, change, faults, at = '', skip = [] }: FormProps) {
  const required = requiredOf(schema);
  const names = Object.keys(schema.properties ?? {}).filter((name) => !skip.includes(name) && shapeOf(schema.properties![name]!).kind !== 'fixed');
  const [shown] = useState(() => new Set(names.filter((name, i) => required.has(name) || name in value || i < fewest)));
  const wrong = (name: string) => Object.keys(faults).some((place) => place === at + name || place.startsWith(`${at + name}.`) || place.startsWith(`${at + name}[`));
  const folded = names.filter((name) => !shown.has(name));
  const field = (name: string) => (
    <Property key={name} name={name} schema={schema.properties![name]!} required={required.has(name)} value={value[name]} faults={faults} at={at + name} change={(v) => change(put(value, name, v))} />
  );
  return (
    <div class="stack">
      {names.filter((name) => shown.has(name)).map(field)}
      {folded.length > 0 && (
        <details open={folded.some(wrong)}>
          <summary>More settings <span class="soft">{count(folded.length)}</span></summary>
          <div class="stack">{folded.map(field)}</div>
        </details>
      )}
    </div>
  );
}

interface PropertyProps {
  name: string;
  schema: Schema;
  required: boolean;
  value: unknown;
  change: (value: unknown) => void;
  faults: Faults;
  at: string;
}

function Property({ name, schema, required, value, change, faults, at }: PropertyProps) {
  const shape = shapeOf(schema);
  const wrong = faults[at];
  const usual = schema.default !== undefined && schema.default !== '' ? ` Usually ${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}.` : '';
  const help = sentence(schema.description) + usual;
  const label: ComponentChildren = <><code>{name}</code>{required && <span class="soft"> required</span>}</>;
  const shared = { label, help: help.trim() || undefined, wrong };
  switch (shape.kind) {
    case 'group':
      return (
        <fieldset class="group">
          <legend><code>{name}</code></legend>
          {help.trim() && <p class="soft small">{help}</p>}
          {wrong && <p class="wrong" role="alert">{wrong}</p>}
          <SchemaForm schema={shape.schema} value={isDocument(value) ? value : {}} faults={faults} at={`${at}.`} change={(v) => change(Object.keys(v).length > 0 ? v : undefined)} />
        </fieldset>
      );
    case 'switch':
      return <div class="field"><Tick label={label} checked={value === true || value === 'true'} change={(on) => change(on || undefined)} />{help.trim() && <p class="help">{help}</p>}{wrong && <p class="wrong" role="alert">{wrong}</p>}</div>;
    case 'choice':
      return <Field {...shared}><Select value={typeof value === 'string' ? value : ''} change={change} choices={[{ value: '', label: '–' }, ...shape.choices]} /></Field>;
    case 'number':
      return <Field {...shared}><Input inputMode="numeric" value={value === undefined || value === null ? '' : String(value)} change={(text) => change(/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text)} required={required} /></Field>;
    case 'secret':
      return <SecretField {...shared} value={value} change={change} required={required} />;
    case 'list':
      return <ListField {...shared} value={value} change={change} choices={shape.choices} />;
    case 'pairs':
      return <PairsField {...shared} value={value} change={change} />;
    case 'json':
      return <JsonField {...shared} value={value} change={change} />;
    default:
      return <Field {...shared}><Input value={value === undefined || value === null ? '' : String(value)} change={change} required={required} /></Field>;
  }
}

const isDocument = (value: unknown): value is Document => typeof value === 'object' && value !== null && !Array.isArray(value);

const sentence = (text: string | undefined): string => (text ? `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}` : '');
