// The values of a row, for people.

import './gallery/gallery.css';

/** inWords is a value as a person reads it. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Values lists the values of a row by name; what is no object is shown as it is. */
export function Values({ of }: { of: unknown }) {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return <pre class="wrap">{inWords(of)}</pre>;
  const all = Object.entries(of);
  if (all.length === 0) return <p class="soft">It has no values.</p>;
  return <dl class="values" tabIndex={0} aria-label="Values">{all.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{inWords(value)}</dd></div>)}</dl>;
}
