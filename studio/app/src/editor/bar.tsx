// The bar above the canvas: what is edited, whether it is saved, and how it is
// looked at.

import { batch, type Signal } from '@preact/signals';

import { signedOut } from '../api/client.ts';
import { Select } from '../ui/field.tsx';
import { Mark, type Level } from '../ui/show.tsx';
import { counted } from '../ui/words.ts';
import { inSight } from './copilot/open.ts';
import type { Doc, Saving } from './document.ts';
import { bar, tabs } from './registry.ts';
import type { Stage } from './stage.ts';

const words: Record<Saving, [Level, string]> = {
  saved: ['ok', 'Saved'],
  saving: ['busy', 'Saving'],
  conflict: ['warn', 'In conflict'],
  failed: ['error', 'Not saved'],
  offline: ['warn', 'Not connected'],
};

function Saved({ doc }: { doc: Doc }) {
  const state = doc.saving.value, waiting = doc.waiting.value;
  const [level, word] = words[state];
  const more = state === 'offline' && signedOut.value ? 'the key has ended' : waiting > 0 && state !== 'saving' ? `${counted(waiting, 'change')} kept here` : '';
  const title = state === 'failed' ? doc.refused.value?.failure.detail : `Revision ${doc.revision.value} of the draft`;
  return <span role="status" class="editor-saved" title={title} data-state={state}><Mark level={level}>{word}{more && `: ${more}`}</Mark></span>;
}

function Looks({ doc }: { doc: Doc }) {
  const { sizes, pages } = doc.manifest.value;
  const size = doc.size.value, themes = doc.themes.value;
  return (
    <>
      <Select aria-label="Size" value={size?.name ?? ''} change={(name) => doc.setOrder({ size: name === sizes[0]?.name ? undefined : name })}
        choices={sizes.map((s) => ({ value: s.name, label: `${s.label ?? s.name} · ${s.width} × ${s.height}` }))} />
      {themes.length > 0 && <Select aria-label="Theme" value={doc.order.value.theme ?? ''} change={(theme) => doc.setOrder({ theme: theme || undefined })}
        choices={[{ value: '', label: 'No theme' }, ...themes.map((t) => ({ value: t, label: t }))]} />}
      {pages.length > 1 && <Select aria-label="Page" value={String(doc.pageIndex.value)} change={(n) => doc.goTo(Number(n))}
        choices={pages.map((p, i) => ({ value: String(i), label: `Page ${i + 1}: ${doc.title(p.address)}` }))} />}
    </>
  );
}

function Zoom({ stage }: { stage: Stage }) {
  const percent = Math.round(stage.scale.value * 100);
  return (
    <span class="editor-zoom" role="group" aria-label="Zoom">
      <button type="button" class="button plain" aria-label="Zoom out" onClick={() => stage.zoomTo(stage.scale.value / 1.25)}>−</button>
      <button type="button" class="button plain" aria-label={`Zoom: ${percent} %. Fit the page`} title="Fit (1)" onClick={() => stage.fit()}>{percent} %</button>
      <button type="button" class="button plain" aria-label="Zoom in" onClick={() => stage.zoomTo(stage.scale.value * 1.25)}>+</button>
    </span>
  );
}

export function Bar({ doc, stage, open }: { doc: Doc; stage: Stage; open: Signal<string> }) {
  const side = (name: string, label: string, tool?: Signal<string>) => {
    const shown = open.value === name && !(tool && inSight()); // the copilot has a button of its own
    const go = () => batch(() => {
      if (tool && inSight()) tool.value = '';
      open.value = shown ? '' : name;
    });
    return <button type="button" class="button editor-narrow" aria-pressed={shown} onClick={go}>{label}</button>;
  };
  return (
    <header class="editor-bar">
      <a class="button plain" href={`/studio/templates/${encodeURIComponent(doc.id)}`} aria-label="Back to the template" title="Back to the template">←</a>
      <h1 class="clip" title={doc.id}>{doc.manifest.value.name || doc.id}</h1>
      <Saved doc={doc} />
      <span class="row editor-history" role="group" aria-label="History">
        <button type="button" class="button plain" disabled={!doc.canUndo.value} title="Undo (Ctrl Z)" aria-label="Undo" onClick={() => void doc.undo()}>↶</button>
        <button type="button" class="button plain" disabled={!doc.canRedo.value} title="Redo (Ctrl Shift Z)" aria-label="Redo" onClick={() => void doc.redo()}>↷</button>
      </span>
      <span class="editor-looks"><Looks doc={doc} /></span>
      <Zoom stage={stage} />
      {side('left', 'Document')}{side('right', 'Selection', tabs.right)}
      <span class="row editor-end">{bar.map((Part, i) => <Part key={i} doc={doc} />)}</span>
    </header>
  );
}
