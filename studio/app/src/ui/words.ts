// Numbers, spans and times in words.

const numbers = new Intl.NumberFormat();
const units: [string, number][] = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];

export const count = (n: number): string => numbers.format(n);

/** counted is "1 row", "12 rows". */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** span is a length of time in its two greatest units: "2 h 5 min". */
export function span(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 1) return seconds < 0.001 ? '0 s' : `${Math.round(seconds * 1000)} ms`;
  const at = units.findIndex(([, size]) => seconds >= size);
  const [unit, size] = units[at]!;
  const whole = Math.floor(seconds / size);
  const next = units[at + 1];
  const rest = next ? Math.floor((seconds - whole * size) / next[1]) : 0;
  return rest && whole < 10 ? `${whole} ${unit} ${rest} ${next![0]}` : `${whole} ${unit}`;
}

/** ago is how long a time is past, from now. */
export function ago(time: string | Date, now = Date.now()): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  if (Math.abs(seconds) < 2) return 'now';
  return seconds < 0 ? `in ${span(-seconds)}` : `${span(seconds)} ago`;
}

export function bytes(n: number): string {
  const names = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (n >= 1000 && at < names.length - 1) {
    n /= 1000;
    at++;
  }
  return `${n < 10 && at > 0 ? n.toFixed(1) : Math.round(n)} ${names[at]}`;
}

export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** capital is a text that begins with a capital. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
