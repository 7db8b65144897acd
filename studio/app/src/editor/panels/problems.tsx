// All that is wrong, in one list: with the row in view, and with the document.

import { Empty, Mark } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import type { Doc } from '../document.ts';
import { toSource } from '../source/place.ts';
import { offsetAt, spanOf } from '../source/places.ts';
import './panels.css';

interface Line {
  level: 'error' | 'warn';
  message: string;
  hint?: string;
  where: string;
  go?: () => void;
}

export function Problems({ doc }: { doc: Doc }) {
  const inSource = (p: { line?: number; column?: number; message: string }) => {
    const span = spanOf(doc.source.value, p);
    return span && (() => toSource(span.from, span.to));
  };
  const view = doc.view.value;
  const ofRow: Line[] = [...(view?.problem ? [view.problem] : []), ...doc.problems.value].map((p) => ({
    level: p.level === 'error' ? 'error' : 'warn', message: p.message, hint: p.hint,
    where: p.node ? `${doc.title(p.node)}${p.place ? `, ${p.place}` : ''}` : p.variable ?? (p.line ? `line ${p.line}` : ''),
    go: p.node && doc.node(p.node) ? () => doc.select([p.node!]) : inSource(p),
  }));
  const kept: Line[] = Object.entries(doc.values.value).filter(([, v]) => v.error).map(([name, v]) => {
    const at = name.lastIndexOf(' '), address = name.slice(0, at), place = name.slice(at + 1);
    return { level: 'error', message: v.error!.message, hint: v.error!.hint ?? (v.kept ? 'The canvas keeps the last good value.' : undefined), where: `${doc.title(address)}, ${place}`, go: doc.node(address) ? () => doc.select([address]) : undefined };
  });
  const told = new Set(ofRow.map((l) => l.message));
  const clipped: Line[] = (doc.frame?.report.value.layers ?? []).filter((l) => l.clipped).map((l) => ({
    level: 'warn', message: `Its text does not fit: ${counted(l.lines, 'line')} at ${Math.round(l.fontPx)} px.`, hint: 'Make its box larger, let it shrink further, or allow more lines.', where: doc.title(l.layer), go: doc.node(l.layer) ? () => doc.select([l.layer]) : undefined,
  }));
  const ofDocument: Line[] = doc.findings.value.map((f) => ({ level: f.fatal ? 'error' : 'warn', message: f.message, hint: f.hint, where: f.line ? `line ${f.line}` : '', go: inSource(f) ?? (f.line ? () => toSource(offsetAt(doc.source.value, f.line!), offsetAt(doc.source.value, f.line!)) : undefined) }));
  const rows = [...ofRow, ...kept.filter((l) => !told.has(l.message)), ...clipped];
  if (rows.length + ofDocument.length === 0) return <Empty title="Nothing is wrong"><p>With this row, and in the document. “Check all rows” under Data looks at the others.</p></Empty>;
  return (
    <div class="problems">
      {rows.length > 0 && <Lines title="With the row in view" lines={rows} />}
      {ofDocument.length > 0 && <Lines title="In the document" lines={ofDocument} />}
    </div>
  );
}

function Lines({ title, lines }: { title: string; lines: Line[] }) {
  return (
    <section aria-label={title}>
      <h3>{title} ({lines.length})</h3>
      <ul>{lines.map((l, i) => (
        <li key={i}><Mark level={l.level}>{l.level === 'error' ? 'Error' : 'Warning'}</Mark>
          <span class="wrap">{l.go ? <button type="button" class="button plain" onClick={l.go}>{l.message}</button> : l.message} {l.hint && <span class="soft">{l.hint}</span>}</span>
          <span class="soft small">{l.where}</span></li>
      ))}</ul>
    </section>
  );
}
