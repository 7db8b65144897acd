// What kind of field a JSON Schema asks for.

export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
  default?: unknown;
  writeOnly?: boolean;
  format?: string;
}

export type Shape =
  | { kind: 'fixed' } // it has one value only
  | { kind: 'text' | 'number' | 'switch' | 'secret' | 'json' }
  | { kind: 'choice'; choices: string[] }
  | { kind: 'list'; choices?: string[] } // of texts
  | { kind: 'pairs' } // names and texts
  | { kind: 'group'; schema: Schema };

const typesOf = (s: Schema): string[] => (s.type === undefined ? [] : [s.type].flat());
const parts = (s: Schema): Schema[] => s.anyOf ?? s.oneOf ?? [];

// choicesOf are the words that a schema allows, through alternatives of it.
function choicesOf(s: Schema | undefined): string[] | undefined {
  if (!s) return undefined;
  if (s.enum) return s.enum.filter((v): v is string => typeof v === 'string');
  for (const part of parts(s)) {
    const found = choicesOf(part);
    if (found) return found;
  }
  return undefined;
}

const scalar = (s: Schema): boolean => typesOf(s).some((t) => t === 'string' || t === 'number' || t === 'integer' || t === 'boolean') && !s.properties;

/** shapeOf is what a person fills in for a schema. */
export function shapeOf(s: Schema): Shape {
  if (s.const !== undefined) return { kind: 'fixed' };
  const list = [s, ...parts(s)].find((part) => typesOf(part).includes('array') || part.items);
  if (list) {
    const { items } = list;
    if (items && !scalar(items) && !choicesOf(items) && Object.keys(items).length > 0) return { kind: 'json' };
    return { kind: 'list', choices: choicesOf(items) };
  }
  if (s.writeOnly || s.format === 'password' || parts(s).some((part) => part.writeOnly)) return { kind: 'secret' };
  const choices = choicesOf(s);
  if (choices) return { kind: 'choice', choices };
  if (s.properties) return { kind: 'group', schema: s };
  const types = typesOf(s);
  if (types.includes('object')) {
    return { kind: typeof s.additionalProperties === 'object' && scalar(s.additionalProperties) ? 'pairs' : 'json' };
  }
  const only = types.filter((t) => t !== 'null');
  if (only.includes('boolean') && !only.includes('number')) return { kind: 'switch' };
  if (only.includes('integer') || (only.length === 1 && only[0] === 'number')) return { kind: 'number' };
  if (only.length > 0) return { kind: 'text' };
  const inner = parts(s).find((part) => typesOf(part).some((t) => t !== 'null'));
  return inner ? shapeOf(inner) : { kind: 'json' };
}

/** requiredOf are the names without which a schema is not met, as far as it says so. */
export const requiredOf = (s: Schema): Set<string> => new Set(s.required ?? []);

export type Document = Record<string, unknown>;

/** put is a document with one value set; undefined takes it away. */
export function put(document: Document, name: string, value: unknown): Document {
  if (value === undefined || value === '') return Object.fromEntries(Object.entries(document).filter(([other]) => other !== name));
  return { ...document, [name]: value };
}
