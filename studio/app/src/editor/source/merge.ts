// Two people in one text, or one person on the canvas and in the source at once.

/** A Splice puts text in the place of what stands from one offset to another. */
export interface Splice {
  from: number;
  to: number;
  text: string;
}

/** spliceOf is the shortest single splice that makes one text the other; undefined where they are the same. */
export function spliceOf(before: string, after: string): Splice | undefined {
  if (before === after) return undefined;
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < most - head && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { from: head, to: before.length - tail, text: after.slice(head, after.length - tail) };
}

/** spliced is the text with a splice done. */
export const spliced = (text: string, s: Splice): string => text.slice(0, s.from) + s.text + text.slice(s.to);

/** onTop is theirs as a splice of the text that has mine already; undefined where both changed the same place. */
export function onTop(mine: Splice | undefined, theirs: Splice): Splice | undefined {
  if (!mine) return theirs;
  const shift = mine.text.length - (mine.to - mine.from);
  if (theirs.to < mine.from || (theirs.to === mine.from && theirs.to > theirs.from && mine.to > mine.from)) return theirs;
  if (theirs.from > mine.to || (theirs.from === mine.to && theirs.to > theirs.from && mine.to > mine.from)) return { ...theirs, from: theirs.from + shift, to: theirs.to + shift };
  return undefined;
}
