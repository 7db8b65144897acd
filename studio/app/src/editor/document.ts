// The document in the editor: what the daemon told of it, what is selected, and
// what was done. Every change goes through apply; nothing is shown as saved that
// the daemon has not confirmed.

import { batch, computed, signal, type Signal } from '@preact/signals';

import { Failure, path, request } from '../api/client.ts';
import { unique } from '../api/unique.ts';
import { tell, toast } from '../ui/toast.tsx';
import type { Frame } from './frame.ts';
import { History } from './history.ts';
import { authorOf, moved, type Box, type Clash, type DocNode, type Edited, type Manifest, type Op, type Order, type Step, type Tree, type View } from './model.ts';
import { Queue, type Edit, type Saving } from './queue.ts';

export type { Saving } from './queue.ts';

/** A Refusal is an edit that the daemon did not take; errors name the field of each. */
export interface Refusal {
  label: string;
  ops: Op[];
  source?: string;
  failure: Failure;
}

/** A Conflict waits for a person's word: keep theirs, or make mine on top of it. */
export interface Conflict {
  label: string;
  clashes: Clash[];
  failure: Failure;
  source?: { yours: string; theirs: string };
}

const empty: Manifest = { name: '', sizes: [], variables: [], pages: [] };

export class Doc {
  readonly loaded = signal(false);
  readonly trouble = signal<unknown>(null); // why there is nothing to show

  readonly revision = signal(0);
  readonly base = signal(0);
  readonly source = signal('');
  readonly nodes = signal<ReadonlyMap<string, DocNode>>(new Map());
  readonly manifest = signal<Manifest>(empty);
  readonly themes = signal<string[]>([]);
  readonly tokens = signal<Tree['tokens']>([]);
  readonly assets = signal<Record<string, string>>({});
  readonly bindings = signal<NonNullable<Tree['bindings']>>([]); // outside of pages
  readonly findings = signal<Tree['problems']>([]); // of lint, over the whole document

  readonly view = signal<View | null>(null); // of the newest drawing, without its html
  readonly drawn = signal(0); // counts drawings: whoever measures the frame does so again
  readonly order = signal<Order>({});

  readonly selection = signal<string[]>([]);
  readonly hovered = signal('');
  readonly scope = signal(''); // the group or stack that was entered; "" is the page
  readonly editing = signal(''); // the text that is being written in

  readonly saving = signal<Saving>('saved');
  readonly waiting = signal(0);
  readonly refused = signal<Refusal | null>(null);
  readonly conflict = signal<Conflict | null>(null);
  readonly others = signal<Step[]>([]); // what somebody else did since this page was opened, newest first
  readonly came = signal(0); // counts the times that something of others came
  readonly changed = signal(false); // the draft has what no version has
  readonly expecting = signal(false); // somebody works on the draft for us: what comes needs no word

  /** tree is the document as a whole, for who wants it in one. */
  readonly tree = computed(() => ({ manifest: this.manifest.value, themes: this.themes.value, tokens: this.tokens.value, assets: this.assets.value, nodes: this.nodes.value, bindings: this.bindings.value, problems: this.findings.value }));
  readonly row = computed(() => this.view.value?.row ?? { variables: {} });
  readonly values = computed(() => this.view.value?.values ?? {});
  readonly problems = computed(() => this.view.value?.problems ?? []);
  readonly size = computed(() => this.manifest.value.sizes.find((s) => s.name === this.view.value?.size) ?? this.manifest.value.sizes[0]);
  /** override is the size that edits of geometry go to: null while the base is edited. */
  readonly override = computed(() => (this.size.value && this.size.value !== this.manifest.value.sizes[0] ? this.size.value.name : null));
  readonly page = computed(() => this.manifest.value.pages[this.pageIndex.value]?.address ?? '');
  readonly selected = computed(() => this.selection.value.map((a) => this.nodes.value.get(a)).filter((n) => n !== undefined));
  readonly canUndo: Signal<boolean>;
  readonly canRedo: Signal<boolean>;
  /** pageIndex is which page of the document is edited. */
  readonly pageIndex = signal(0);

  frame: Frame | null = null;
  author = '';

  private readonly history = new History();
  private readonly queue: Queue;
  private sent: Order = {}; // with the edit that is on its way
  private viewing = 0; // the newest request for a view
  private following: Promise<void> = Promise.resolve(); // one after the other
  private poll: ReturnType<typeof setInterval> | undefined;

  constructor(readonly id: string) {
    this.canUndo = this.history.canUndo;
    this.canRedo = this.history.canRedo;
    this.queue = new Queue({
      path: this.path,
      revision: () => this.revision.value,
      view: () => (this.sent = this.order.value),
      author: () => this.author,
      resolve: (edit) => this.history.resolve(edit),
      took: (edit, answer) => this.took(edit, answer),
      refused: (edit, failure) => this.refuse(edit, failure),
      clashed: (edit, failure) => this.clash(edit, failure),
      state: (saving, waiting) => batch(() => {
        this.saving.value = saving === 'saved' && this.refused.value ? 'failed' : saving;
        this.waiting.value = waiting;
      }),
    });
  }

  get path(): string {
    return path`/templates/${this.id}/draft`;
  }

  // ---- Reading.

  /** open reads the document, and follows what others do to it. */
  async open(): Promise<void> {
    try {
      await this.reload();
      this.loaded.value = true;
      this.poll ??= setInterval(() => void this.follow(true), 4000);
      addEventListener('focus', this.look);
    } catch (e) {
      this.trouble.value = e;
    }
  }

  close(): void {
    clearInterval(this.poll);
    removeEventListener('focus', this.look);
    this.queue.stop();
  }

  private readonly look = () => void this.follow(true);

  /** reload reads the tree and draws it anew. */
  async reload(): Promise<void> {
    const { data } = await request<Tree>(`${this.path}/tree`);
    this.accept(data);
    await this.draw();
  }

  private accept(tree: Tree): void {
    batch(() => {
      this.revision.value = tree.revision;
      this.base.value = tree.base;
      this.changed.value = tree.open;
      this.source.value = tree.source;
      this.nodes.value = new Map(tree.nodes.map((n) => [n.address, n]));
      this.manifest.value = tree.manifest;
      this.themes.value = tree.themes;
      this.tokens.value = tree.tokens;
      this.assets.value = tree.assets;
      this.bindings.value = tree.bindings ?? [];
      this.findings.value = tree.problems;
      this.trouble.value = null;
      this.tidy();
    });
  }

  /** draw asks for the page as it is in the order of now; of several at once the last counts. */
  async draw(): Promise<void> {
    const mine = ++this.viewing;
    try {
      const { data } = await request<View>(`${this.path}/view`, { method: 'POST', body: this.order.value, headers: { 'Idempotency-Key': unique() } });
      if (mine !== this.viewing || this.queue.length > 0 && data.revision < this.revision.value) return;
      this.show(data);
    } catch (e) {
      if (mine !== this.viewing) return;
      if (e instanceof Failure && e.status === 0) setTimeout(() => mine === this.viewing && void this.draw(), 2000);
      else throw e;
    }
  }

  private show(view: View): void {
    const { html, nodes, ...rest } = view;
    batch(() => {
      this.view.value = rest;
      if (html !== undefined) this.frame?.write(html, rest);
      else if (nodes) this.frame?.patch(nodes, rest);
    });
  }

  /** follow takes what somebody else has done to the draft, unless a person is in the middle of something here. */
  follow(announce = false): Promise<void> {
    this.following = this.following.then(() => this.take(announce)).catch(tell);
    return this.following;
  }

  private async take(announce: boolean): Promise<void> {
    if (document.hidden && announce || this.queue.length > 0 || this.conflict.value || this.frame?.held || this.editing.value) return;
    const before = this.revision.value;
    const { data } = await request<Tree>(`${this.path}/tree`).catch(() => ({ data: null }));
    if (!data || this.queue.length > 0 || this.revision.value !== before || data.revision <= before || this.frame?.held) return;
    this.accept(data);
    this.came.value++;
    await this.draw().catch(tell);
    if (announce && !this.expecting.value) toast('Somebody else has changed this template; what you see is the newest.');
  }

  // ---- Looking at it otherwise.

  /** setOrder changes what is looked at; what is undefined in it goes. */
  setOrder(change: Partial<Order>): void {
    const next = { ...this.order.value, ...change };
    this.order.value = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined && value !== '')) as Order;
    void this.draw().catch(tell);
  }

  /** goTo edits another page of the document. */
  goTo(index: number): void {
    batch(() => {
      this.pageIndex.value = index;
      this.selection.value = [];
      this.scope.value = '';
    });
    const before = this.manifest.value.pages.slice(0, index); // one that repeats is several in the drawing
    this.setOrder({ page: 1 + before.reduce((n, p) => n + (p.repeat ? Number(this.values.value[`${p.address} for`]?.value ?? 1) : 1), 0) });
  }

  /** select selects layers; add keeps what is selected already. */
  select(addresses: string[], add = false): void {
    const next = add ? [...this.selection.value, ...addresses] : addresses;
    this.selection.value = [...new Set(next)].filter((a) => this.nodes.value.has(a));
  }

  node(address: string): DocNode | undefined {
    return this.nodes.value.get(address);
  }

  /** title is what people call a layer. */
  title(address: string): string {
    const n = this.nodes.value.get(address);
    return n ? n.name || n.id || `${n.element ?? n.tag}` : address;
  }

  /** style is a property of a layer as the browser has it, in the size in view. */
  style(address: string, property: string): string {
    return this.frame?.style(address, property) ?? '';
  }

  /** box is where a layer is on its page, null where it is not drawn. */
  box(address: string): Box | null {
    return this.frame?.box(address) ?? null;
  }

  /** freeId is an id that no node has: word, or word-2, word-3 … */
  freeId(word: string, taken: ReadonlySet<string> = new Set()): string {
    const used = (id: string) => taken.has(id) || this.nodes.value.has(id) || this.source.value.includes(`"${id}"`);
    if (!used(word)) return word;
    for (let i = 2; ; i++) if (!used(`${word}-${i}`)) return `${word}-${i}`;
  }

  /** named gives the id by which operations change a layer, and the operation that gives it one where it has none. */
  named(address: string): { id: string; ops: Op[] } {
    if (!address.startsWith('/')) return { id: address, ops: [] };
    const n = this.nodes.value.get(address);
    const id = this.freeId(n?.element ?? n?.kind ?? 'layer');
    return { id, ops: [{ op: 'ensure_id', path: address, id }] };
  }

  // ---- Changing it.

  /** apply sends operations; it promises whether they were taken. What it says of a refusal is in refused. */
  apply(ops: Op[], { label, merge, select }: { label: string; merge?: string; select?: string[] }): Promise<boolean> {
    if (ops.length === 0) return Promise.resolve(false);
    const done = this.queue.add({ label, merge, ops });
    return select ? done.then((ok) => {
      if (ok) this.select(select);
      return ok;
    }) : done;
  }

  /** setSource sends the whole text. */
  setSource(text: string): Promise<boolean> {
    if (text === this.source.value && this.queue.length === 0) return Promise.resolve(true);
    return this.queue.add({ label: 'Edit the source', source: text });
  }

  undo(): Promise<boolean> {
    return this.queue.add({ label: 'Undo', back: 'undo' });
  }

  redo(): Promise<boolean> {
    return this.queue.add({ label: 'Redo', back: 'redo' });
  }

  /** pushed tells of a step that was not taken through apply, such as an upload, so that undo takes it back. */
  pushed(label: string, revision: number, inverse: Op[]): Promise<void> {
    this.history.add({ label, inverse });
    if (revision <= this.revision.value) return Promise.resolve();
    return this.reload();
  }

  /** decide ends a conflict: mine sends the edit once more on top of theirs. */
  decide(mine: boolean): void {
    this.conflict.value = null;
    this.queue.release(mine);
  }

  private took(edit: Edit, answer: Edited): void {
    batch(() => {
      this.history.took(edit, answer.inverse);
      this.refused.value = null;
      this.revision.value = answer.revision;
      this.changed.value = true;
      const { source, tree } = answer;
      if (source) {
        const splice = { ...source, to: source.to ?? this.source.value.length };
        this.source.value = this.source.value.slice(0, splice.from) + splice.text + this.source.value.slice(splice.to);
        if (!tree.all) this.nodes.value = shifted(this.nodes.value, splice);
      }
      this.merge(tree);
      if (answer.between.length > 0) {
        this.others.value = [...answer.between].reverse().concat(this.others.value);
        this.came.value++;
        toast(`Put on top of what ${authors(answer.between)} did meanwhile.`);
      }
    });
    if (answer.view && this.sent === this.order.value) this.show(answer.view);
    else void this.draw().catch(tell);
  }

  private merge(tree: Edited['tree']): void {
    if (tree.manifest) this.manifest.value = tree.manifest;
    if (tree.themes) this.themes.value = tree.themes;
    if (tree.tokens) this.tokens.value = tree.tokens;
    if (tree.assets) this.assets.value = tree.assets;
    if (tree.bindings) this.bindings.value = tree.bindings;
    this.findings.value = tree.problems;
    if (tree.all) this.nodes.value = new Map(tree.nodes.map((n) => [n.address, n]));
    else if (tree.nodes.length > 0 || tree.removed.length > 0) {
      const next = new Map(this.nodes.value);
      for (const address of tree.removed) next.delete(address);
      for (const n of tree.nodes) next.set(n.address, n);
      this.nodes.value = next;
    }
    this.tidy();
  }

  /** tidy forgets what is no more. */
  private tidy(): void {
    const { value } = this.nodes;
    if (this.selection.value.some((a) => !value.has(a))) this.selection.value = this.selection.value.filter((a) => value.has(a));
    if (this.scope.value && !value.has(this.scope.value)) this.scope.value = '';
    if (this.hovered.value && !value.has(this.hovered.value)) this.hovered.value = '';
    const last = this.manifest.value.pages.length - 1;
    if (this.pageIndex.value > last && last >= 0) this.goTo(last);
    const { size, theme } = this.order.value;
    if (size && !this.manifest.value.sizes.some((s) => s.name === size) || theme && !this.themes.value.includes(theme)) {
      this.setOrder({ size: this.manifest.value.sizes.some((s) => s.name === size) ? size : undefined, theme: this.themes.value.includes(theme ?? '') ? theme : undefined });
    }
  }

  private async refuse(edit: Edit, failure: Failure): Promise<void> {
    if (edit.back) this.history.drop(edit.back);
    this.refused.value = { label: edit.label, ops: edit.ops ?? [], source: edit.source, failure };
    tell(failure);
    this.frame?.free();
    await this.draw().catch(tell); // what the gesture showed is not so
  }

  private async clash(edit: Edit, failure: Failure): Promise<void> {
    const clashes = (failure.body.conflicts ?? []) as Clash[];
    this.frame?.free();
    await this.again();
    const same = edit.source === undefined
      ? clashes.length > 0 && clashes.every((c) => JSON.stringify(c.yours) === JSON.stringify(c.theirs))
      : edit.source === this.source.value;
    if (same) { // it is there already: an answer that was lost, or two who did the same
      this.queue.release(false);
      return;
    }
    this.conflict.value = { label: edit.label, clashes, failure, source: edit.source === undefined ? undefined : { yours: edit.source, theirs: this.source.value } };
  }

  /** again reloads until that is done. */
  private async again(): Promise<void> {
    for (;;) {
      try {
        return await this.reload();
      } catch (e) {
        if (!(e instanceof Failure) || e.status !== 0) return tell(e);
        await new Promise((next) => setTimeout(next, 1000));
      }
    }
  }
}

const authors = (steps: Step[]) => [...new Set(steps.map(authorOf))].join(', ');

function shifted(nodes: ReadonlyMap<string, DocNode>, splice: { from: number; to: number; text: string }): Map<string, DocNode> {
  const pair = ([from, to]: [number, number]): [number, number] => [moved(from, splice), moved(to, splice)];
  return new Map([...nodes].map(([address, n]) => [address, n.span[1] <= splice.from ? n
    : { ...n, span: pair(n.span), inner: n.inner && pair(n.inner), bindings: n.bindings.map((b) => ({ ...b, span: pair(b.span) })) }]));
}
