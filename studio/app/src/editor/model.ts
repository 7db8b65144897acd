// The document as the daemon tells of it: shapes of /templates/{id}/draft/tree,
// /view and of the answers to edits. The studio neither parses, prints nor
// evaluates; it keeps what it was told.

export type Kind = 'page' | 'text' | 'image' | 'shape' | 'group' | 'stack' | 'element' | 'opaque';

/** Where an expression stands: its place in a node, and from where to where in the text, in UTF-16 units. */
export interface Binding {
  node?: string; // where it is not that of the entry that it stands in
  place: string;
  expression: string;
  span: [from: number, to: number];
}

/** A DocNode is a page or a layer. */
export interface DocNode {
  address: string; // its id, or its path where it has none of its own
  id?: string;
  tag: string;
  kind: Kind;
  element?: string;
  name?: string;
  role?: string;
  class?: string;
  locked: boolean;
  hidden: boolean;
  hiddenIn?: string[];
  parent: string;
  children: string[];
  text?: string;
  html?: string;
  rich: boolean;
  attrs: Record<string, string>;
  style: Record<string, string>;
  overrides?: Record<string, Record<string, string>>;
  bindings: Binding[];
  span: [from: number, to: number];
  inner?: [from: number, to: number];
  line?: [first: number, last: number];
  editable: string[];
}

export interface Size {
  name: string;
  width: number;
  height: number;
  label?: string;
}

export interface Variable {
  name: string;
  type: string;
  required?: boolean;
  default?: unknown;
  example?: unknown;
  minLength?: number;
  maxLength?: number;
  min?: number;
  max?: number;
  pattern?: string;
  options?: unknown[];
  missing?: string;
  items?: string;
  description?: string;
}

export interface PageEntry {
  address: string;
  size?: string;
  repeat?: string;
}

export interface Manifest {
  name: string;
  declared?: boolean;
  sizes: Size[];
  variables: Variable[];
  pages: PageEntry[];
}

export interface ThemeTokens {
  theme: string;
  tokens: { name: string; value: string }[];
}

/** A Finding is what lint says of the document. */
export interface Finding {
  code: string;
  message: string;
  hint?: string;
  line?: number;
  column?: number;
  fatal: boolean;
}

export interface Tree {
  templateUid: string;
  revision: number;
  base: number;
  open: boolean;
  source: string;
  assets: Record<string, string>;
  manifest: Manifest;
  themes: string[];
  tokens: ThemeTokens[];
  nodes: DocNode[];
  bindings?: Binding[]; // outside of pages
  problems: Finding[];
}

/** An Order says what is looked at. */
export interface Order {
  size?: string;
  theme?: string;
  page?: number;
  variables?: Record<string, unknown>;
  binding?: string;
  key?: string;
  locale?: string;
  timezone?: string;
}

/** Shown is what an expression came to; kept: the last good value stands in for one that failed. */
export interface Shown {
  expression: string;
  value: unknown;
  copies?: number;
  error?: { code: string; message: string; hint?: string; from?: number; to?: number };
  kept?: boolean;
}

/** Trouble is one thing that is wrong with the row in view. */
export interface Trouble {
  level: 'error' | 'warning';
  code: string;
  message: string;
  hint?: string;
  node?: string;
  place?: string;
  copy?: string;
  variable?: string;
  line?: number;
  column?: number;
}

export interface Row {
  variables: Record<string, unknown>;
  binding?: string;
  key?: string;
}

/** Redrawn is one element of the page as it is now; node is ADDRESS or ADDRESS#copy. */
export interface Redrawn {
  node: string;
  html: string;
}

export interface View {
  revision: number;
  size: string;
  width: number;
  height: number;
  page: number;
  pages: number;
  layout: boolean;
  html?: string;
  nodes?: Redrawn[];
  values: Record<string, Shown>;
  problems: Trouble[];
  row: Row;
  problem?: Trouble; // why there is no drawing
}

/** A Step is what somebody did to the draft. */
export interface Step {
  revision: number;
  kind: string;
  ops: Op[];
  touched: string[];
  author: string;
  at: string;
}

/** authorOf is who did a step, in words. */
export const authorOf = (step: Pick<Step, 'author'> | undefined): string => (step?.author.startsWith('copilot/') ? 'the copilot' : step?.author || 'somebody else');

/** An Op is one operation, as `pictifyd template ops` lists them. */
export type Op = { op: string } & Record<string, unknown>;

/** An Edited is the answer to an edit of which a view was asked for. */
export interface Edited {
  revision: number;
  rebased: boolean;
  between: Step[];
  ops?: Op[];
  inverse: Op[];
  touched: string[];
  source: { from: number; to: number | null; text: string } | null;
  tree: {
    all?: boolean;
    nodes: DocNode[];
    removed: string[];
    manifest?: Manifest;
    themes?: string[];
    tokens?: ThemeTokens[];
    bindings?: Binding[];
    assets?: Record<string, string>;
    problems: Finding[];
  };
  view: View | null;
}

/** A Clash is one thing that two people changed. */
export interface Clash {
  touched: string;
  yours: Op | null;
  theirs: Op | null;
  by: Step;
}

/** A Box is where an element is, in pixels of its page: its middle, its own width and height, and how it is turned. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  angle: number; // degrees, clockwise
}

/** move shifts an offset of the old text to where it is after a splice. */
export function moved(offset: number, splice: { from: number; to: number; text: string }): number {
  if (offset <= splice.from) return offset;
  const by = splice.text.length - (splice.to - splice.from);
  return offset >= splice.to ? offset + by : splice.from + splice.text.length;
}
