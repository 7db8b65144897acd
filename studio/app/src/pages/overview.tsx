// The first page: one sentence about how it all is, and what needs somebody.

import { overview } from '../api/live.ts';
import type { State } from '../api/health.ts';
import { Page } from '../shell/shell.tsx';
import { Mark, When } from '../ui/show.tsx';
import { capital } from '../ui/words.ts';
import { Attention } from './overview/attention.tsx';
import { Begin } from './overview/begin.tsx';
import { Newest } from './overview/newest.tsx';
import { TileList } from './overview/tiles.tsx';
import './overview/overview.css';

const words = { ok: 'Well', warn: 'Needs a look', error: 'Broken', paused: 'Paused' };

export function Overview() {
  const state = overview.value as State | null;
  if (!state) return <Page title="Looking around …">{null}</Page>;
  const { health } = state;
  const nothing = state.bindings.length === 0 && state.jobs.length === 0 && state.images.length === 0;
  return (
    <Page title={capital(health.sentence)} over={<><Mark level={health.level}>{words[health.level]}</Mark> <span class="soft">as of <When time={state.at} /></span></>}>
      {nothing && <Begin keys={state.keys} />}
      <Attention needs={state.attention} more={state.attentionMore} />
      {!nothing && <TileList tiles={state.tiles} />}
      {!nothing && <Newest images={state.images} />}
    </Page>
  );
}
