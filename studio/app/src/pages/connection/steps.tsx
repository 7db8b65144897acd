// What came of a connection test, step by step, and a sample of its rows.

import type { ConnectionTest, TestStep } from '../../api/ops.ts';
import { Mark, Note } from '../../ui/show.tsx';
import { Rows } from '../../ui/value.tsx';
import { Outcome } from './outcome.tsx';
import { counted, span } from '../../ui/words.ts';

const names: Record<string, string> = { configuration: 'Configuration', addresses: 'Addresses', connection: 'Connection', rows: 'Rows', key: 'Key' };

function Step({ of: s }: { of: TestStep }) {
  const [level, word] = s.skipped ? (['quiet', 'Not tried'] as const) : s.ok ? (['ok', 'Well'] as const) : (['error', 'Failed'] as const);
  return (
    <li>
      <Mark level={level}>{names[s.name] ?? s.name}<span class="hide">: {word}</span></Mark>
      <span class="wrap">{s.path && <code>{s.path}: </code>}{s.message}{s.hint && <span class="soft">. {s.hint}</span>}{s.more ? <span class="soft"> And {counted(s.more, 'more problem')}.</span> : null}</span>
    </li>
  );
}

/** Steps shows a test; take, where it is given, takes the key that it proposes. */
export function Steps({ of: t, take }: { of: ConnectionTest; take?: (key: string[]) => void }) {
  return (
    <section class="card stack" aria-label="Test" aria-live="polite">
      <p class="row"><Mark level={t.ok ? 'ok' : 'error'}><strong>{t.ok ? 'It works' : 'It does not work yet'}</strong></Mark><span class="soft small">{span(t.durationMs / 1000)}</span></p>
      <ol class="steps">{t.steps.map((s) => <Step key={s.name} of={s} />)}</ol>
      {t.advice?.map((a) => <Note key={a}>{a}</Note>)}
      {t.test && <Outcome of={t.test} />}
      {take && t.key.length > 0 && <p class="row">The key of a row could be <code>{t.key.join(', ')}</code> <button type="button" class="button" onClick={() => take(t.key)}>Take it</button></p>}
      {t.sampleRows.length > 0 && <><h3>{counted(t.sampleRows.length, 'row')} as a sample</h3><Rows label="Sample rows" rows={t.sampleRows} columns={t.columns.length > 0 ? t.columns : undefined} /></>}
    </section>
  );
}
