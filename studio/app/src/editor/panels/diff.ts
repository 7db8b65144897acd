// A difference as diff -u writes it, for people.

export interface DiffLine {
  kind: 'same' | 'gone' | 'new' | 'place';
  text: string;
}

/** linesOf are the lines of a unified diff without the names of its files. */
export function linesOf(diff: string): DiffLine[] {
  return diff.split('\n').filter((l, i, all) => !(/^(---|\+\+\+) /.test(l) && i < 2) && !(i === all.length - 1 && l === '')).map((l) => ({
    kind: l.startsWith('@@') ? 'place' : l.startsWith('+') ? 'new' : l.startsWith('-') ? 'gone' : 'same', text: l.startsWith('@@') ? l : l.slice(1),
  }));
}
