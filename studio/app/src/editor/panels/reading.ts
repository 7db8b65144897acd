// What properties of layers are, read from what the daemon told: in a size, of
// several layers at once, with the longhands of what was written as a shorthand.

import type { Binding, DocNode } from '../model.ts';

/** overridable are the properties that one size may have otherwise than the others, of those that the inspector has. */
export const overridable: ReadonlySet<string> = new Set(`left top width height transform rotate padding padding-top padding-right padding-bottom padding-left display visibility
  flex-direction flex-wrap gap row-gap column-gap align-items justify-content grid-template-columns font-size line-height letter-spacing text-align
  border-radius border-width object-fit object-position overflow`.split(/\s+/));

let scratch: CSSStyleDeclaration | undefined;

/** longhand is a property as the browser takes it out of declarations in their order; "" where it can't. */
function longhand(style: Record<string, string>, property: string): string {
  scratch ??= document.createElement('i').style;
  scratch.cssText = '';
  for (const [name, value] of Object.entries(style)) scratch.setProperty(name, value);
  return scratch.getPropertyValue(property);
}

const shorthands = ['font', 'background', 'border', 'padding', 'flex', 'flex-flow', 'inset', 'text-decoration', 'border-top', 'gap', 'overflow'];

/** valueOf is a property of a layer in a size ("" or null: the base); undefined where nothing is written. */
export function valueOf(node: DocNode, property: string, size: string | null): string | undefined {
  const over = size ? node.overrides?.[size] : undefined;
  if (over?.[property] !== undefined) return over[property];
  const style = over ? { ...node.style, ...over } : node.style;
  if (style[property] !== undefined) return style[property];
  if (!shorthands.some((s) => s in style)) return undefined;
  return longhand(style, property) || undefined;
}

/** A Reading is one property of all that is selected. */
export interface Reading {
  value: string | undefined; // undefined where none has it, or they differ
  mixed: boolean;
  overridden: boolean; // by the size in view, in one of them at least
}

export function read(nodes: DocNode[], property: string, size: string | null): Reading {
  const values = nodes.map((n) => valueOf(n, property, size));
  const mixed = values.some((v) => v !== values[0]);
  return { value: mixed ? undefined : values[0], mixed, overridden: size !== null && nodes.some((n) => n.overrides?.[size]?.[property] !== undefined) };
}

/** attr is an attribute of all that is selected. */
export function attr(nodes: DocNode[], name: string): { value: string | undefined; mixed: boolean } {
  const values = nodes.map((n) => n.attrs[name] ?? n.attrs[`data-${name}`]);
  const mixed = values.some((v) => v !== values[0]);
  return { value: mixed ? undefined : values[0], mixed };
}

/** boundAt is what decides a place of a layer. */
export const boundAt = (node: DocNode, place: string): Binding | undefined => node.bindings.find((b) => b.place === place);

/** sole is an expression where a value is nothing but one: "{{ price }}". */
export const sole = (value: string | undefined): string | undefined => /^\s*\{\{((?:(?!\}\}|\{\{)[\s\S])*)\}\}\s*$/.exec(value ?? '')?.[1]?.trim();
