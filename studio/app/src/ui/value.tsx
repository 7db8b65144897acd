// Values of rows, as people read them.

/** text is a value on one line. */
export function text(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** columnsOf are the names of the columns of some rows, in the order in which they come. */
export function columnsOf(rows: unknown[]): string[] {
  const names = new Set<string>();
  for (const row of rows) if (row && typeof row === 'object') for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

/** inRow is the value of a column of a row. */
export const inRow = (row: unknown, name: string): unknown => (row && typeof row === 'object' ? (row as Record<string, unknown>)[name] : undefined);

/** Rows is a small table of values, which scrolls in itself. */
export function Rows({ label, rows, columns = columnsOf(rows) }: { label: string; rows: unknown[]; columns?: string[] }) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{columns.map((c) => <th key={c} scope="col">{c}</th>)}</tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{columns.map((c) => <td key={c}>{text(inRow(row, c))}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

/** Fields are the values of one row, one below the other. */
export function Fields({ row }: { row: unknown }) {
  return <dl class="facts">{columnsOf([row]).flatMap((c) => [<dt key={`${c}-`} class="mono">{c}</dt>, <dd key={c} class="wrap">{text(inRow(row, c))}</dd>])}</dl>;
}
