// The canvas: the page in its frame, at one scale, and over it what can be
// grasped.

import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { tell } from '../ui/toast.tsx';
import type { Doc } from './document.ts';
import { Frame } from './frame.ts';
import type { Stage } from './stage.ts';

export function Canvas({ doc, stage }: { doc: Doc; stage: Stage }) {
  const host = useRef<HTMLDivElement>(null), iframe = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const frame = new Frame(iframe.current!);
    frame.lost = () => void doc.draw().catch(tell);
    doc.frame = frame;
    stage.host = host.current;
    if (doc.loaded.value) void doc.draw().catch(tell);
    const stop = frame.drawn.subscribe((n) => (doc.drawn.value = n));
    const sized = new ResizeObserver(() => stage.fitted.value && stage.fit());
    sized.observe(host.current!);
    return () => {
      stop();
      sized.disconnect();
      doc.frame = null;
      stage.host = null;
    };
  }, [doc, stage]);

  // Another page is shown whole; the same one stays where it is.
  const shape = useRef('');
  useSignalEffect(() => {
    const { value: view } = doc.view;
    const now = view ? `${view.width}x${view.height}` : '';
    if (now === shape.current) return;
    shape.current = now;
    stage.fit();
  });

  const { value: view } = doc.view;
  const scale = stage.scale.value;
  return (
    <main class="editor-canvas" id="page" tabIndex={-1} aria-label="Canvas" ref={host}>
      <div class="editor-sheet" style={{ width: `${(view?.width ?? 0) * scale}px`, height: `${(view?.height ?? 0) * scale}px`, transform: `translate(${stage.x.value}px, ${stage.y.value}px)` }}>
        <iframe ref={iframe} sandbox="allow-same-origin" src="/studio/frame" title={`The page of ${doc.id}`} tabIndex={-1}
          style={{ width: `${view?.width ?? 0}px`, height: `${view?.height ?? 0}px`, transform: `scale(${scale})` }} />
      </div>
      {view?.problem && <p class="editor-over note" data-level="error" role="alert">{view.problem.message}{view.problem.hint && ` – ${view.problem.hint}`}</p>}
    </main>
  );
}
