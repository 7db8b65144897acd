// The canvas: the page in its frame, at one scale, and over it what can be
// grasped.

import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';

import { Dialog } from '../ui/dialog.tsx';
import { tell } from '../ui/toast.tsx';
import { listen as listenToClipboard } from './clipboard.ts';
import type { Doc } from './document.ts';
import { Frame } from './frame.ts';
import { rectOf, rounded } from './geometry.ts';
import { insertFiles } from './insert.ts';
import { listen as listenToKeys, sheet, shortcuts } from './keys.ts';
import { Overlay } from './overlay.tsx';
import { Pointer } from './pointer.ts';
import { Sizes } from './sizes.tsx';
import type { Stage } from './stage.ts';
import { TextEditing } from './text.ts';
import { Toolbar } from './toolbar.tsx';

/** inWords is the selection for who does not see it. */
function inWords(doc: Doc): string {
  void doc.drawn.value;
  const chosen = doc.selected.value, [first] = chosen;
  if (!first) return '';
  if (chosen.length > 1) return `${chosen.length} layers selected`;
  const box = doc.box(first.address), r = box && rectOf(box);
  return `${doc.title(first.address)}, ${first.kind}${first.locked ? ', locked' : ''}${r ? `, at ${rounded(r.left)}, ${rounded(r.top)}, ${rounded(r.right - r.left)} by ${rounded(r.bottom - r.top)}` : ', not shown'}`;
}

function Shortcuts() {
  if (!sheet.value) return null;
  return (
    <Dialog title="Keyboard and pointer" wide close={() => (sheet.value = false)}>
      <div class="editor-keys">
        {shortcuts.map(([title, keys]) => <section key={title}><h3>{title}</h3><dl class="facts">{keys.map(([k, does]) => <><dt><kbd>{k}</kbd></dt><dd>{does}</dd></>)}</dl></section>)}
      </div>
      <div class="actions"><button type="button" class="button" onClick={() => (sheet.value = false)}>Close</button></div>
    </Dialog>
  );
}

export function Canvas({ doc, stage }: { doc: Doc; stage: Stage }) {
  const host = useRef<HTMLDivElement>(null), iframe = useRef<HTMLIFrameElement>(null), dropping = useSignal(false);
  const text = useMemo(() => new TextEditing(doc), [doc]), pointer = useMemo(() => new Pointer(doc, stage, text), [doc, stage, text]);
  useEffect(() => {
    const frame = new Frame(iframe.current!), el = host.current!;
    frame.lost = () => void doc.draw().catch(tell);
    doc.frame = frame;
    stage.host = el;
    if (doc.loaded.value) void doc.draw().catch(tell);
    const stop = frame.drawn.subscribe((n) => (doc.drawn.value = n));
    const sized = new ResizeObserver(() => stage.fitted.value && stage.fit());
    sized.observe(el);
    el.addEventListener('wheel', pointer.wheel, { passive: false });
    const ends = [listenToKeys(doc, stage, pointer, text), listenToClipboard(doc)];
    return () => {
      stop();
      for (const end of ends) end();
      el.removeEventListener('wheel', pointer.wheel);
      sized.disconnect();
      doc.frame = null;
      stage.host = null;
    };
  }, [doc, stage, pointer, text]);

  // Another page is shown whole; the same one stays where it is.
  const shape = useRef('');
  useSignalEffect(() => {
    const { value: view } = doc.view;
    const now = view ? `${view.size} ${view.width}x${view.height}` : '';
    if (now === shape.current) return;
    shape.current = now;
    stage.fit();
  });

  const drop = (e: DragEvent) => {
    e.preventDefault();
    dropping.value = false;
    const files = [...e.dataTransfer?.files ?? []];
    if (files.length > 0) void insertFiles(doc, files, stage.toPage({ x: e.clientX, y: e.clientY })).catch(tell);
  };
  const { value: view } = doc.view;
  const scale = stage.scale.value;
  return (
    <main class="editor-middle">
      <Toolbar doc={doc} stage={stage} />
      <div class="editor-canvas" id="page" tabIndex={0} role="application" aria-label="Canvas" aria-describedby="editor-said" aria-roledescription="canvas" ref={host} data-drop={dropping.value || undefined}
        onPointerDown={pointer.down} onPointerMove={pointer.move} onPointerUp={pointer.up} onLostPointerCapture={pointer.up} onPointerCancel={pointer.cancel} onDblClick={pointer.double} onPointerLeave={() => (doc.hovered.value = '')}
        onDragOver={(e) => { e.preventDefault(); dropping.value = true; }} onDragLeave={() => (dropping.value = false)} onDrop={drop}>
        <div class="editor-sheet" style={{ width: `${(view?.width ?? 0) * scale}px`, height: `${(view?.height ?? 0) * scale}px`, transform: `translate(${stage.x.value}px, ${stage.y.value}px)` }}>
          <iframe ref={iframe} sandbox="allow-same-origin" src="/studio/frame" title={`The page of ${doc.id}`} tabIndex={-1}
            style={{ width: `${view?.width ?? 0}px`, height: `${view?.height ?? 0}px`, transform: `scale(${scale})` }} />
        </div>
        <Overlay doc={doc} stage={stage} />
        {view?.problem && <p class="editor-over note" data-level="error" role="alert">{view.problem.message}{view.problem.hint && ` – ${view.problem.hint}`}</p>}
      </div>
      {stage.all.value && <Sizes doc={doc} />}
      <p class="hide" id="editor-said" role="status">{inWords(doc)}</p>
      <Shortcuts />
    </main>
  );
}
