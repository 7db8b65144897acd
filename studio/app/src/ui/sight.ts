// Which rows of a long list are in sight.

const around = 2; // screens are drawn above and below, so that a scroll meets what is there

/** inSight is the range of rows to draw where those from top, in a window that is so high, can be seen. */
export function inSight(rows: number, row: number, top: number, height: number): { first: number; last: number } {
  if (row <= 0) return { first: 0, last: 0 };
  const first = Math.max(0, Math.min(Math.floor((top - height * (around / 2)) / row), rows - 1));
  const last = Math.min(rows, Math.ceil((top + height * (1 + around / 2)) / row) + 1);
  return { first: Math.max(0, first), last: Math.max(last, 0) };
}
