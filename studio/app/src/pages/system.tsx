// The machine behind it: processes, browsers, queue, caches, storage, versions, what
// the doctor finds, keys, and the configuration that is in effect.

import { useEffect } from 'preact/hooks';

import { Failure } from '../api/client.ts';
import type { State } from '../api/health.ts';
import { changes, overview, paused } from '../api/live.ts';
import type { System as SystemState } from '../api/ops.ts';
import { Page } from '../shell/shell.tsx';
import { useLoad } from '../ui/load.ts';
import { Trouble, When } from '../ui/show.tsx';
import { bytes, count, span } from '../ui/words.ts';
import { Chrome } from './system/chrome.tsx';
import { alone } from './system/fleet.ts';
import { Findings } from './system/findings.tsx';
import { Keys } from './system/keys.tsx';
import { Caches, Queue, Storage } from './system/numbers.tsx';
import { Processes } from './system/processes.tsx';
import './system/system.css';

const lookAgain = 5000; // ms: as signs of life come every two seconds

export function System() {
  const { data: s, error, again } = useLoad<SystemState>('/system', [changes.value]);
  const others = s !== undefined && s.processes.length > 1; // whose state changes without an event
  useEffect(() => {
    if (!others) return undefined;
    const look = setInterval(() => document.hidden || paused.value || again(), lookAgain);
    return () => clearInterval(look);
  }, [others]);
  const one = s && alone(s.processes);
  return (
    <Page title="System" over={s && <>as of <When time={s.at} /></>} actions={<><a class="button" href="/metrics">Metrics</a><a class="button" href="/docs">API</a></>}>
      {error !== undefined && !s && !(error instanceof Failure && error.status === 404) && <Trouble error={error} again={again} />}
      {!s && error !== undefined && overview.value && <Outline of={overview.value as State} />}
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
                {one && <><dt>Process</dt><dd>{one.place}, the only one on this ledger</dd></>}
              </dl>
            </section>
            <Queue of={s.queue} />
            <Storage of={s.storage} />
            <Caches of={s.caches} />
          </div>
          <Processes of={s.processes} at={s.at} />
          <Chrome of={s.chrome} />
          <section aria-labelledby="config">
            <h2 id="config">Configuration</h2>
            <details><summary>As it is in effect; secrets are masked</summary><pre class="card" tabIndex={0}><code>{JSON.stringify(s.config, null, 2)}</code></pre></details>
          </section>
        </>
      )}
      <Keys />
    </Page>
  );
}

/** Outline is what the overview knows, where the daemon tells no more. */
function Outline({ of: state }: { of: State }) {
  const { chrome, disk, queue } = state.tiles;
  return (
    <div class="pair">
      <section class="card" aria-labelledby="versions"><h2 id="versions">Versions</h2><dl class="facts"><dt>pictifyd</dt><dd>{state.version}</dd></dl></section>
      <Queue of={queue} />
      <section class="card" aria-labelledby="chrome"><h2 id="chrome">Chrome</h2>
        {chrome ? <dl class="facts"><dt>In use</dt><dd>{count(chrome.used)} of {count(chrome.size)}</dd><dt>Failed</dt><dd>{chrome.failed > 0 ? <>{count(chrome.failed)}: <code>pictifyd doctor</code> says what is missing</> : 'none'}</dd></dl> : <p>No browser draws here: <code>pictifyd doctor</code> says what is missing.</p>}
      </section>
      <section class="card" aria-labelledby="storage"><h2 id="storage">Storage</h2>
        <dl class="facts"><dt>Free</dt><dd>{bytes(disk.freeBytes)}{disk.low && ': too little, nothing is taken in. Free some, or lower keep.min_free'}</dd><dt>Kept by pictifyd</dt><dd>{disk.measuredAt ? <>{bytes(disk.bytes)}, measured <When time={disk.measuredAt} /></> : 'not measured yet'}</dd></dl>
      </section>
    </div>
  );
}
