// One source or sink: how it is, what keeps it from working, its test and its
// configuration.

import type { ComponentChildren } from 'preact';

import { path } from '../../api/client.ts';
import { changes } from '../../api/live.ts';
import type { Connection } from '../../api/ops.ts';
import { Page } from '../../shell/shell.tsx';
import { useLoad } from '../../ui/load.ts';
import { Note, Trouble } from '../../ui/show.tsx';
import { State } from '../../ui/state.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { count, counted } from '../../ui/words.ts';
import { ConnectionConfig } from './config.tsx';
import { standing } from './health.ts';
import { Quarantine } from './quarantine.tsx';
import { SinkActs, SinkPart } from './sink.tsx';
import { SourceActs, SourcePart } from './source.tsx';
import { type Side, sides } from './words.ts';

export function ConnectionPage({ side, name, tab = '' }: { side: Side; name: string; tab?: string }) {
  const words = sides[side];
  const at = `/${words.many}${path`/${name}`}`;
  const { data, error, again } = useLoad<Record<string, Connection>>(at, [changes.value]);
  const c = data?.[words.one];
  const kept = c?.freshness?.quarantined ?? 0;
  const parts: { tab: string; name: string; show: (c: Connection) => ComponentChildren }[] = [
    { tab: '', name: 'State', show: (one) => (side === 'source' ? <SourcePart of={one} at={at} /> : <SinkPart of={one} at={at} />) },
    ...(side === 'source' ? [{ tab: 'quarantine', name: kept > 0 ? `Kept out ${count(kept)}` : 'Kept out', show: (one: Connection) => <Quarantine of={one} at={at} /> }] : []),
    { tab: 'config', name: 'Configuration', show: (one) => <ConnectionConfig side={side} of={one} at={at} again={again} /> },
  ];
  const part = parts.find((p) => p.tab === tab);
  const is = c && standing(c);
  return (
    <Page title={name} over={<a href={`/studio/${words.many}`}>{words.title}</a>} actions={c && (side === 'source' ? <SourceActs of={c} at={at} again={again} /> : <SinkActs of={c} at={at} again={again} />)}>
      {error !== undefined && !c && <Trouble error={error} again={again} />}
      {c && is && (
        <>
          <p class="row"><State state={is.state} /><span class="chip">{c.kind}</span></p>
          {is.cause && <Note level={is.state === 'error' ? 'error' : is.state === 'warn' ? 'warn' : undefined}><p><strong class="wrap">{is.cause}</strong></p>{is.next && <p>{is.next}{kept > 0 && tab !== 'quarantine' && <> <a href={`/studio${at}/quarantine`}>{counted(kept, 'row')} kept out</a></>}</p>}</Note>}
          <Tabs label={`Parts of ${name}`} panel="part" here={`/studio${at}${tab && `/${tab}`}`} tabs={parts.map((p) => ({ href: `/studio${at}${p.tab && `/${p.tab}`}`, name: p.name }))} />
          <section id="part" role="tabpanel" aria-label={part?.name ?? 'none'} class="stack">
            {part ? part.show(c) : <p>There is no part {tab} of it. <a href={`/studio${at}`}>Back to its state</a></p>}
          </section>
        </>
      )}
    </Page>
  );
}
