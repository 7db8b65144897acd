// Figures, times and sentences.

const figures = new Intl.NumberFormat('en');

export const count = (n) => figures.format(n);

// counted(1, 'row') is "1 row", counted(2000, 'row') is "2,000 rows".
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

// span is a number of seconds in the largest unit that says enough: "12 s", "3 min".
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// ago is the age of an RFC 3339 time. Clocks differ a little: the future is now.
export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  return seconds < 2 ? 'just now' : `${span(seconds)} ago`;
}

// exact is a time for those who point at it: theirs, and UTC.
export const exact = (time) => `${new Date(time).toLocaleString()} · ${new Date(time).toISOString()}`;

const states = {
  ok: 'up to date', working: 'rendering', held: 'held', failing: 'failing', new: 'not read yet',
  pending: 'waiting', processing: 'rendering', completed: 'completed', partial: 'some failed', failed: 'failed', cancelled: 'cancelled',
};

export const stateName = (state) => states[state] ?? state;

// sentence says in one line how everything is.
export function sentence({ bindings, jobs }) {
  const failing = bindings.filter((b) => b.state === 'failing').length;
  const held = bindings.filter((b) => b.state === 'held').length;
  const is = (n) => (n === 1 ? 'is' : 'are');
  if (failing && held) return `${counted(failing, 'binding')} ${is(failing)} failing, ${count(held)} ${is(held)} held.`;
  if (failing) return `${counted(failing, 'binding')} ${is(failing)} failing.`;
  if (held) return `${counted(held, 'binding')} ${is(held)} held.`;
  const running = jobs.filter((j) => j.status === 'pending' || j.status === 'processing');
  const left = running.reduce((n, j) => n + j.totalItems - j.completedItems - j.failedItems, 0)
    + bindings.reduce((n, b) => n + b.waiting, 0);
  if (left) return `Rendering, ${count(left)} to go.`;
  if (!bindings.length && !jobs.length) return 'Nothing to render yet.';
  const failed = bindings.reduce((n, b) => n + b.failed, 0);
  if (failed) return `Up to date, but ${counted(failed, 'row')} can’t be rendered.`;
  if (bindings.some((b) => b.state === 'new')) return 'Waiting for the first reading.';
  if (!bindings.length) return 'All batches are done.';
  return 'Everything is up to date.';
}
