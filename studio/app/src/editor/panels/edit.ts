// Changing what is selected, as operations: in the size in view where a size may
// have its own, else in all.

import type { Doc } from '../document.ts';
import type { DocNode, Op } from '../model.ts';
import { attr, overridable, read, type Reading } from './reading.ts';

/** An Edit reads and changes some layers of a document together. */
export class Edit {
  constructor(readonly doc: Doc, readonly nodes: DocNode[]) {}

  get size(): string | null {
    return this.doc.override.value;
  }

  get first(): DocNode {
    return this.nodes[0]!;
  }

  get tokens(): { name: string; value: string }[] {
    const theme = this.doc.order.value.theme ?? '';
    const all = this.doc.tokens.value;
    const own = all.find((t) => t.theme === theme)?.tokens ?? [];
    const base = all.find((t) => t.theme === '')?.tokens ?? [];
    return [...base.map((t) => own.find((o) => o.name === t.name) ?? t), ...own.filter((o) => !base.some((t) => t.name === o.name))];
  }

  can(op: string): boolean {
    return this.nodes.every((n) => n.editable.includes(op));
  }

  read(property: string): Reading {
    return read(this.nodes, property, this.size);
  }

  attr(name: string): { value: string | undefined; mixed: boolean } {
    return attr(this.nodes, name);
  }

  /** now is a property as the browser has it, where all agree. */
  now(property: string): string {
    const values = this.nodes.map((n) => this.doc.style(n.address, property));
    return values.every((v) => v === values[0]) ? values[0] ?? '' : '';
  }

  /** send applies operations made for each layer. */
  send(label: string, make: (id: string, node: DocNode) => Op[], merge?: string): Promise<boolean> {
    const ops: Op[] = [], taken = new Set<string>(), now: string[] = [];
    for (const node of this.nodes) {
      const named = node.address.startsWith('/') ? this.fresh(node, taken) : { id: node.address, ops: [] };
      ops.push(...named.ops, ...make(named.id, node));
      now.push(named.id);
    }
    const renamed = now.some((id, i) => id !== this.nodes[i]!.address);
    return this.doc.apply(ops, { label, merge, select: renamed && this.nodes.every((n) => this.doc.selection.value.includes(n.address)) ? now : undefined });
  }

  private fresh(node: DocNode, taken: Set<string>): { id: string; ops: Op[] } {
    const id = this.doc.freeId(node.element ?? node.kind, taken);
    taken.add(id);
    return { id, ops: [{ op: 'ensure_id', path: node.address, id }] };
  }

  /** style sets properties; null takes one away. */
  style(label: string, values: Record<string, string | null>): Promise<boolean> {
    return this.send(label, (id) => Object.entries(values).map(([property, value]) => ({
      op: 'set_style', id, property, value, ...(this.size && overridable.has(property) ? { size: this.size } : {}),
    })), `style ${Object.keys(values).join(' ')}`);
  }

  setAttr(label: string, name: string, value: string | null): Promise<boolean> {
    return this.send(label, (id) => [{ op: 'set_attr', id, name, value }], `attr ${name}`);
  }

  /** box moves, sizes or turns. */
  box(label: string, values: { left?: number | null; top?: number | null; width?: number | null; height?: number | null; rotate?: number | null }): Promise<boolean> {
    return this.send(label, (id) => [{ op: 'set_box', id, box: values, ...(this.size ? { size: this.size } : {}) }], `box ${Object.keys(values).join(' ')}`);
  }

  /** reset gives properties back to what the base has, in the size in view. */
  reset(properties: string[]): Promise<boolean> {
    const size = this.size!;
    const mine = new Edit(this.doc, this.nodes.filter((n) => properties.some((p) => n.overrides?.[size]?.[p] !== undefined)));
    return mine.send('Reset to the base', (id, n) => properties.filter((p) => n.overrides?.[size]?.[p] !== undefined).map((property) => ({ op: 'set_size_override', size, id, property, value: null })));
  }

  /** bind makes an expression decide a place; null gives the place back to its plain value. */
  bind(place: string, expression: string | null): Promise<boolean> {
    const label = expression === null ? 'Remove an expression' : 'Bind to data';
    const attribute = place === 'element' ? `p-${this.first.element}` : place === 'fallback' ? 'p-fallback' : place.startsWith('option:') ? `p-${place.slice(7)}` : '';
    if (attribute) return this.setAttr(label, attribute, expression === null ? null : `{{ ${expression} }}`);
    return this.send(label, (id) => [{ op: 'set_binding', id, target: place, expr: expression }]);
  }
}
