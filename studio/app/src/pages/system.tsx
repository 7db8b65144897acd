// The machine behind it: browsers, queue, caches, storage, versions, what the
// doctor finds, keys, and the configuration that is in effect.

import { changes } from '../api/live.ts';
import type { System as SystemState } from '../api/ops.ts';
import { Page } from '../shell/shell.tsx';
import { useLoad } from '../ui/load.ts';
import { Trouble, When } from '../ui/show.tsx';
import { span } from '../ui/words.ts';
import { Chrome } from './system/chrome.tsx';
import { Findings } from './system/findings.tsx';
import { Keys } from './system/keys.tsx';
import { Caches, Queue, Storage } from './system/numbers.tsx';
import './system/system.css';

export function System() {
  const { data: s, error, again } = useLoad<SystemState>('/system', [changes.value]);
  return (
    <Page title="System" over={s && <>as of <When time={s.at} /></>} actions={<><a class="button" href="/metrics">Metrics</a><a class="button" href="/docs">API</a></>}>
      {error !== undefined && !s && <Trouble error={error} again={again} />}
      {s && (
        <>
          <Findings of={s.findings} />
          <div class="pair">
            <section class="card" aria-labelledby="versions">
              <h2 id="versions">Versions</h2>
              <dl class="facts">
                <dt>pictifyd</dt><dd>{s.version}</dd>
                <dt>Go</dt><dd>{s.goVersion}, {s.platform}</dd>
                <dt>Ledger</dt><dd>{s.ledger.kind}, schema {s.ledger.schema}</dd>
                <dt>Running for</dt><dd>{span(s.uptimeSeconds)}, since <When time={s.startedAt} /></dd>
              </dl>
            </section>
            <Queue of={s.queue} />
            <Storage of={s.storage} />
            <Caches of={s.caches} />
          </div>
          <Chrome of={s.chrome} />
          <Keys inFile={s.keys.file} />
          <section aria-labelledby="config">
            <h2 id="config">Configuration</h2>
            <details><summary>As it is in effect; secrets are masked</summary><pre class="card" tabIndex={0}><code>{JSON.stringify(s.config, null, 2)}</code></pre></details>
          </section>
        </>
      )}
    </Page>
  );
}
