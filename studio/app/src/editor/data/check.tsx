// All rows against the draft, before a batch or a binding draws them: how many
// hold, and each that does not with the way to it.

import { signal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';

import { Failure, path } from '../../api/client.ts';
import { Bar, Mark, Note, Trouble } from '../../ui/show.tsx';
import { Table } from '../../ui/table.tsx';
import { Select } from '../../ui/field.tsx';
import { count, counted, span } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { pasted, type Rows } from './rows.ts';
import { stream } from './stream.ts';

interface Counts {
  ok: number;
  errors: number;
  clipped: number;
  missingImages: number;
  fallback: number;
  glyphs: number;
  ignored: number;
}

interface CheckFinding {
  at: number;
  key: string;
  name: string;
  size: string;
  code: string;
  level: 'error' | 'warning';
  layer?: string;
  field?: string;
  message: string;
}

interface Progress {
  checked: number;
  total: number;
  pictures: number;
  drawn: number;
  reused: number;
  counts: Counts;
}

interface Done extends Progress {
  revision: number;
  from: string;
  seconds: number;
  complete: boolean;
  findings: CheckFinding[];
  truncated: boolean;
}

class Checking {
  readonly progress = signal<Progress | null>(null);
  readonly findings = signal<CheckFinding[]>([]);
  readonly done = signal<Done | null>(null);
  readonly error = signal<unknown>(null);
  readonly running = signal<AbortController | null>(null);

  constructor(private readonly doc: Doc) {}

  async run(rows: Rows, sizes: string[] | undefined): Promise<void> {
    const stop = new AbortController();
    this.running.value = stop;
    this.progress.value = this.done.value = this.error.value = null;
    this.findings.value = [];
    const from = rows.from.value === pasted ? { rows: rows.pastedRows.value } : { from: rows.from.value };
    try {
      await stream(path`/templates/${this.doc.id}/draft/check`, { ...from, sizes, theme: this.doc.order.value.theme }, stop.signal, ({ event, data }) => {
        if (event === 'progress') this.progress.value = data as Progress;
        else if (event === 'finding') this.findings.value = [...this.findings.value, data as CheckFinding];
        else if (event === 'done') {
          this.done.value = data as Done;
          this.progress.value = data as Progress;
          this.findings.value = (data as Done).findings;
        } else if (event === 'failed') {
          const p = data as { detail?: string; title?: string; hint?: string; code?: string };
          this.error.value = new Failure(500, p.code ?? '', p.detail ?? p.title ?? 'the check ended early', p.hint);
        }
      });
      if (!this.done.value && this.error.value === null) this.error.value = new Failure(0, 'cut', 'The check ended before its end.', 'Start it again; what was drawn is kept and not drawn again.');
    } catch (e) {
      if (!stop.signal.aborted) this.error.value = e;
    } finally {
      this.running.value = null;
    }
  }
}

const kept = new WeakMap<Doc, Checking>();

function checkingOf(doc: Doc): Checking {
  let c = kept.get(doc);
  if (!c) kept.set(doc, (c = new Checking(doc)));
  return c;
}

/** groups are the counts, in words, with the findings that each is of. */
const groups: [keyof Counts, string, (f: CheckFinding) => boolean][] = [
  ['errors', 'fail', (f) => f.level === 'error' && !/^(asset|image)_/.test(f.code)],
  ['missingImages', 'without a picture', (f) => f.level === 'error' && /^(asset|image)_/.test(f.code)],
  ['clipped', 'with clipped text', (f) => f.code === 'text_clipped'],
  ['fallback', 'with a fallback picture', (f) => f.code === 'image_fallback'],
  ['glyphs', 'with missing letters', (f) => f.code === 'glyph_missing'],
  ['ignored', 'with ignored layout', (f) => f.code === 'layout_ignored'],
];

export function Check({ rows }: { rows: Rows }) {
  const { doc } = rows;
  const checking = useMemo(() => checkingOf(doc), [doc]);
  const [size, setSize] = useState('');
  const [only, setOnly] = useState<keyof Counts>();
  const { sizes } = doc.manifest.value;
  const progress = checking.progress.value, done = checking.done.value, running = checking.running.value;
  const shown = only ? checking.findings.value.filter(groups.find(([name]) => name === only)![2]) : checking.findings.value;
  const go = async (f: CheckFinding) => {
    await rows.go(f.at);
    doc.setOrder({ size: f.size === sizes[0]?.name ? undefined : f.size });
    if (f.layer) doc.select([f.layer]);
  };
  return (
    <div class="check">
      <div class="row">
        {sizes.length > 1 && <Select aria-label="Sizes to check" value={size} change={setSize} choices={[{ value: '', label: `all ${sizes.length} sizes` }, ...sizes.map((s) => ({ value: s.name, label: s.label ?? s.name }))]} />}
        {running
          ? <button type="button" class="button" onClick={() => running.abort()}>Stop</button>
          : <button type="button" class="button strong" onClick={() => void checking.run(rows, size ? [size] : undefined)}>Check {rows.from.value === pasted ? count(rows.pastedTotal.value) : count(rows.now.value?.total ?? 0)} rows</button>}
        <span role="status" class="row">
          {running && !progress && <Mark level="busy">Beginning</Mark>}
          {progress && <>
            <Mark level={running ? 'busy' : done && progress.counts.errors + progress.counts.missingImages === 0 ? 'ok' : 'warn'}>{count(progress.checked)} of {counted(progress.total, 'row')}{done && ` in ${span(done.seconds)}`}</Mark>
            <span class="soft">{counted(progress.pictures, 'picture')}, {count(progress.drawn)} drawn, {count(progress.reused)} known</span>
          </>}
        </span>
      </div>
      {progress && <Bar label={`${progress.checked} of ${progress.total}`} parts={[{ part: 'done', n: progress.counts.ok }, { part: 'failed', n: progress.checked - progress.counts.ok }, { part: 'left', n: progress.total - progress.checked }]} />}
      {progress && (
        <div class="row" role="group" aria-label="Only these findings">
          <span class="chip" data-level="ok">{count(progress.counts.ok)} hold</span>
          {groups.filter(([name]) => progress.counts[name] > 0).map(([name, words]) => <button key={name} type="button" class="button" aria-pressed={only === name} onClick={() => setOnly(only === name ? undefined : name)}>{count(progress.counts[name])} {words}</button>)}
        </div>
      )}
      {checking.error.value !== null && <Trouble error={checking.error.value} />}
      {done && done.revision !== doc.revision.value && <Note level="warn">The template has been changed since. Check again before you rely on this.</Note>}
      {done && !done.complete && <Note level="warn">Only the first {count(done.checked)} rows were looked at.</Note>}
      {checking.findings.value.length > 0 && (
        <Table label="Findings" rows={shown} id={(f) => `${f.at} ${f.size} ${f.code} ${f.layer ?? f.field ?? ''}`} open={(f) => void go(f)} columns={[
          { name: 'Row', cell: (f) => <button type="button" class="button plain" onClick={() => void go(f)}>{count(f.at + 1)} {f.name || f.key}</button> },
          { name: 'Size', cell: (f) => f.size },
          { name: 'Where', cell: (f) => f.layer ?? f.field ?? '' },
          { name: 'What', cell: (f) => <Mark level={f.level === 'error' ? 'error' : 'warn'}><span class="wrap">{f.message}</span></Mark> },
        ]} />
      )}
      {done?.truncated && <p class="soft">The first {count(checking.findings.value.length)} findings; mend these and check again.</p>}
    </div>
  );
}
