// A difference of texts, as diff -u has it.

export interface Line {
  kind: 'added' | 'removed' | 'place' | 'same';
  text: string;
}

/** linesOf are the lines of a unified diff, without its header. */
export function linesOf(diff: string): Line[] {
  return diff.replace(/\n$/, '').split('\n').filter((l) => !/^(---|\+\+\+) /.test(l)).map((l) => {
    if (l.startsWith('@@')) return { kind: 'place', text: l };
    if (l.startsWith('+')) return { kind: 'added', text: l.slice(1) };
    if (l.startsWith('-')) return { kind: 'removed', text: l.slice(1) };
    return { kind: 'same', text: l.replace(/^ /, '') };
  });
}

const marks = { added: '+', removed: '−', place: '', same: ' ' };

export function Diff({ text }: { text: string }) {
  return <pre class="diff" tabIndex={0} aria-label="Difference of the source">{linesOf(text).map((l, i) => <div key={i} data-kind={l.kind}><span aria-hidden={l.kind === 'same' || undefined}>{marks[l.kind]}</span>{l.text}</div>)}</pre>;
}
