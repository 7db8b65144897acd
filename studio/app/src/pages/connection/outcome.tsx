// What a sink was sent as a test, and what it answered.

import type { SinkTest } from '../../api/ops.ts';
import { Mark, Note } from '../../ui/show.tsx';
import { span } from '../../ui/words.ts';

export function Outcome({ of: t }: { of: SinkTest }) {
  return (
    <section class="card stack" aria-label="What came of the test" aria-live="polite">
      <p class="row"><Mark level={t.ok ? 'ok' : 'error'}><strong>{t.ok ? (t.probed ? 'It is there' : 'It arrived') : 'It did not arrive'}</strong></Mark><span class="soft small">{t.event}, {span(t.durationMs / 1000)}</span></p>
      {t.probed && <p class="soft">Nothing was sent, for what a row that there is not leaves would stay. Choose a row of a binding to send one.</p>}
      {t.error && <Note level="error"><p><strong>{t.error}</strong></p>{t.hint && <p>{t.hint}</p>}</Note>}
      {t.request && <details><summary>Request <code>{t.request.method} {t.request.url}</code></summary><pre class="wrap" tabIndex={0}>{headers(t.request.headers)}{t.request.body && `\n\n${t.request.body}`}</pre></details>}
      {t.answer && <details open={!t.ok}><summary>Answer {t.answer.status ?? t.answer.ref}</summary><pre class="wrap" tabIndex={0}>{headers(t.answer.headers)}{t.answer.body && `\n\n${t.answer.body}`}</pre></details>}
    </section>
  );
}

const headers = (of: Record<string, string> | undefined) => Object.entries(of ?? {}).map(([name, value]) => `${name}: ${value}`).join('\n');
