// The editor: a template on a canvas, with panels around it.

import { useEffect, useMemo } from 'preact/hooks';

import { Trouble } from '../ui/show.tsx';
import { Bar } from './bar.tsx';
import { Canvas } from './canvas.tsx';
import { Conflicts } from './conflicts.tsx';
import { Doc } from './document.ts';
import { column, left, right, strip, tabs } from './registry.ts';
import { Stage } from './stage.ts';
import { Tabs } from './tabs.tsx';
import './editor.css';

export function Editor({ id = '' }: { id?: string }) {
  const doc = useMemo(() => new Doc(id), [id]);
  const stage = useMemo(() => new Stage(doc), [doc]);
  useEffect(() => {
    column.value = '';
    document.title = `${id} – editor – pictifyd`;
    void doc.open();
    return () => doc.close();
  }, [doc]);
  const { value: trouble } = doc.trouble;
  return (
    <div class="editor" data-open={column.value || undefined} data-right={right.find((p) => p.name === tabs.right.value)?.name ?? right[0]?.name}>
      <Bar doc={doc} stage={stage} open={column} />
      {trouble ? <main class="editor-none" id="page" tabIndex={-1}><Trouble error={trouble} again={() => void doc.open()} /></main> : (
        <>
          <aside class="editor-left" aria-label="Document"><Tabs label="Document" panels={left} chosen={tabs.left} doc={doc} /></aside>
          <Canvas doc={doc} stage={stage} />
          {right.length > 0 && <aside class="editor-right" aria-label="Selection"><Tabs label="Selection" panels={right} chosen={tabs.right} doc={doc} /></aside>}
          {strip.length > 0 && <section class="editor-strip" aria-label="Data and source"><Tabs label="Data and source" panels={strip} chosen={tabs.strip} doc={doc} closes /></section>}
        </>
      )}
      <Conflicts doc={doc} />
    </div>
  );
}
