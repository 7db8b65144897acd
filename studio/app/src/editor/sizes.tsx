// All sizes of the template side by side, each as it looks with the same row;
// what one has otherwise than the base is counted, and can be taken back.

import { useEffect, useRef } from 'preact/hooks';

import { request } from '../api/client.ts';
import { counted } from '../ui/words.ts';
import { resetSize } from './commands.ts';
import type { Doc } from './document.ts';
import { Frame } from './frame.ts';
import type { Size, View } from './model.ts';

const high = 200; // pixels of the screen

function Picture({ doc, size }: { doc: Doc; size: Size }) {
  const iframe = useRef<HTMLIFrameElement>(null), frame = useRef<Frame>();
  const scale = Math.min(high / size.height, 320 / size.width), order = doc.order.value, revision = doc.revision.value;
  useEffect(() => {
    frame.current ??= new Frame(iframe.current!);
    const stop = new AbortController();
    void request<View>(`${doc.path}/view`, { method: 'POST', body: { ...order, size: size.name }, signal: stop.signal }).then(
      ({ data }) => data.html !== undefined && frame.current!.write(data.html, data), () => undefined);
    return () => stop.abort();
  }, [doc, size.name, order, revision]);
  return (
    <span class="editor-small" style={{ width: `${size.width * scale}px`, height: `${size.height * scale}px` }}>
      <iframe ref={iframe} sandbox="allow-same-origin" src="/studio/frame" title={`The size ${size.label ?? size.name}`} tabIndex={-1} aria-hidden="true" style={{ width: `${size.width}px`, height: `${size.height}px`, transform: `scale(${scale})` }} />
    </span>
  );
}

/** overridden are the layers that a size has otherwise. */
const overridden = (doc: Doc, size: string) => [...doc.nodes.value.values()].filter((n) => Object.keys(n.overrides?.[size] ?? {}).length > 0);

export function Sizes({ doc }: { doc: Doc }) {
  const { sizes } = doc.manifest.value, shown = doc.size.value?.name, chosen = doc.selection.value;
  return (
    <section class="editor-sizes" aria-label="All sizes">
      {sizes.map((s, i) => {
        const others = i === 0 ? [] : overridden(doc, s.name), mine = others.filter((n) => chosen.includes(n.address));
        return (
          <figure key={s.name} aria-current={s.name === shown || undefined}>
            <button type="button" aria-label={`Edit ${s.label ?? s.name}`} aria-pressed={s.name === shown} onClick={() => doc.setOrder({ size: i === 0 ? undefined : s.name })}><Picture doc={doc} size={s} /></button>
            <figcaption>
              <span class="clip" title={s.name}>{s.label ?? s.name} <span class="soft">{s.width} × {s.height}</span></span>
              {i === 0 ? <span class="chip">base</span> : others.length > 0 && <span class="chip" data-level="ok" title={others.map((n) => doc.title(n.address)).join(', ')}>{counted(others.length, 'override')}</span>}
              {mine.length > 0 && <button type="button" class="button plain" onClick={() => resetSize(doc, mine.map((n) => n.address), s.name)}>Reset {mine.length === 1 ? doc.title(mine[0]!.address) : counted(mine.length, 'layer')}</button>}
            </figcaption>
          </figure>
        );
      })}
    </section>
  );
}
