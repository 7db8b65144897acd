// A contact sheet of extremes: the longest, shortest and emptiest rows that there
// are, and made ones that are harder. Each is the page itself in a small frame,
// drawn when it comes in sight.

import { useEffect, useRef, useState } from 'preact/hooks';

import { get, path, post, query } from '../../api/client.ts';
import { Empty, Trouble } from '../../ui/show.tsx';
import { Tick } from '../../ui/field.tsx';
import { count, counted } from '../../ui/words.ts';
import { Frame } from '../frame.ts';
import type { View } from '../model.ts';
import { pasted, type Rows } from './rows.ts';

interface StressCase {
  name: string;
  variable?: string;
  kind: string;
  made: boolean;
  at?: number;
  key?: string;
  variables: Record<string, unknown>;
}

interface StressAnswer {
  from: string;
  looked: { rows: number; all: boolean };
  cases: StressCase[];
  scripts?: string[];
}

export function Stress({ rows }: { rows: Rows }) {
  const { doc } = rows;
  const from = rows.from.value === pasted ? 'samples' : rows.from.value;
  const size = doc.order.value.size, theme = doc.order.value.theme;
  const [answer, setAnswer] = useState<StressAnswer>();
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState(true);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let ended = false;
    get<StressAnswer>(path`/templates/${doc.id}/stress` + query({ from, size, theme })).then((a) => ended || (setAnswer(a), setError(undefined)), (e: unknown) => ended || setError(e));
    return () => {
      ended = true;
    };
  }, [from, size, theme, round, doc.manifest.value]);
  if (error !== undefined) return <Trouble error={error} again={() => setRound(round + 1)} />;
  const cases = answer?.cases.filter((c) => made || !c.made) ?? [];
  return (
    <div class="stress">
      <div class="row" role="status">
        {answer && <span>{counted(cases.length, 'case')}, the real ones of {answer.looked.all ? 'all' : 'the first'} {count(answer.looked.rows)} rows{answer.scripts && answer.scripts.length > 0 && `, in ${answer.scripts.join(', ')}`}</span>}
        <Tick label="Made ones too" checked={made} change={setMade} />
      </div>
      {answer && cases.length === 0 && <Empty title="There is nothing to stretch"><p>Add a variable, and this sheet shows its longest, shortest and missing values.</p></Empty>}
      <ul class="sheet-grid" aria-label="Stress sheet">
        {cases.map((c) => <Case key={`${c.name} ${c.at ?? ''}`} rows={rows} of={c} />)}
      </ul>
    </div>
  );
}

/** waiting keeps the daemon from being asked for forty drawings at once. */
let waiting: Promise<unknown> = Promise.resolve();

function Case({ rows, of }: { rows: Rows; of: StressCase }) {
  const { doc } = rows;
  const host = useRef<HTMLLIElement>(null);
  const iframe = useRef<HTMLIFrameElement>(null);
  const [seen, setSeen] = useState(false);
  const [view, setView] = useState<View>();
  const [error, setError] = useState<string>();
  const [clipped, setClipped] = useState(0);
  const revision = doc.revision.value, { size, theme, page } = doc.order.value;
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setSeen(true), { rootMargin: '200px' });
    watch.observe(host.current!);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!seen) return undefined;
    let ended = false;
    let stop: (() => void) | undefined;
    waiting = waiting.then(async () => {
      if (ended || !iframe.current) return;
      try {
        const drawn = await post<View>(`${doc.path}/view`, { size, theme, page, variables: of.variables });
        if (ended || !iframe.current) return;
        const frame = new Frame(iframe.current);
        stop = frame.report.subscribe((report) => setClipped(report.layers.filter((l) => l.clipped).length));
        if (drawn.html !== undefined) frame.write(drawn.html, drawn);
        setView(drawn);
        setError(drawn.problem?.message ?? drawn.problems.find((p) => p.level === 'error')?.message);
      } catch (e) {
        if (!ended) setError(e instanceof Error ? e.message : String(e));
      }
    });
    return () => {
      ended = true;
      stop?.();
    };
  }, [seen, revision, size, theme, page]);
  const width = doc.size.value?.width ?? 1200, height = doc.size.value?.height ?? 630;
  const w = view?.width ?? width, h = view?.height ?? height;
  const scale = Math.min(208 / w, 156 / h);
  const show = () => {
    if (of.at !== undefined && !of.made) void rows.go(of.at);
    else doc.setOrder({ variables: of.variables, binding: undefined, key: undefined });
  };
  return (
    <li ref={host} data-level={error ? 'error' : clipped > 0 ? 'warn' : undefined}>
      <button type="button" onClick={show} aria-label={`Show on the canvas: ${of.name}`} title={error ?? of.name}>
        <span class="sheet-frame" style={{ width: `${Math.round(w * scale)}px`, height: `${Math.round(h * scale)}px` }}>
          <iframe ref={iframe} title={of.name} sandbox="allow-same-origin" src="/studio/frame" tabIndex={-1} aria-hidden="true" style={{ width: `${w}px`, height: `${h}px`, transform: `scale(${scale})` }} />
        </span>
        <span class="small wrap">{of.name}{of.made && <span class="soft"> (made)</span>}</span>
        {error ? <span class="chip" data-level="error">fails</span> : clipped > 0 && <span class="chip" data-level="warn">{counted(clipped, 'text')} clipped</span>}
      </button>
    </li>
  );
}
