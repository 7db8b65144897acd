// What lies over the page: outlines, handles, guides. It is drawn in pixels of
// the screen, so that lines stay thin at any scale.

import type { ComponentChildren } from 'preact';

import type { Doc } from './document.ts';
import { around, boxOfRect, handles, rectOf, rounded, type Handle } from './geometry.ts';
import { traces } from './gestures.ts';
import type { Box } from './model.ts';
import type { Guide } from './snap.ts';
import type { Stage } from './stage.ts';

const names: Record<string, string> = { '-1,-1': 'nw', '0,-1': 'n', '1,-1': 'ne', '1,0': 'e', '1,1': 'se', '0,1': 's', '-1,1': 'sw', '-1,0': 'w' };

/** handleOf is the handle of a name. */
export const handleOf = (name: string): Handle | undefined => handles.find((h) => names[`${h.x},${h.y}`] === name);

const parts = 40; // outlines that follow a gesture; of more, the one around all of them does

const cursors = ['ns', 'nesw', 'ew', 'nwse'];

/** cursorOf is the way in which a handle of a turned box moves. */
function cursorOf(h: Handle, angle: number): string {
  const at = (Math.atan2(h.x, -h.y) * 180 / Math.PI + angle + 360) % 180;
  return `${cursors[Math.round(at / 45) % 4]}-resize`;
}

function Outline({ box, stage, kind, children }: { box: Box; stage: Stage; kind: string; children?: ComponentChildren }) {
  const s = stage.scale.value, w = box.width * s, h = box.height * s;
  return (
    <div class="editor-outline" data-kind={kind} style={{ width: `${w}px`, height: `${h}px`, transform: `translate(${box.x * s - w / 2}px, ${box.y * s - h / 2}px) rotate(${box.angle}deg)` }}>{children}</div>
  );
}

function Handles({ box, stage }: { box: Box; stage: Stage }) {
  const s = stage.scale.value, small = box.width * s < 28 || box.height * s < 28;
  return (
    <>
      {handles.filter((h) => !small || h.x !== 0 && h.y !== 0 || h.x + h.y === 1 && (h.x === 1 ? box.height * s < 28 : box.width * s < 28)).map((h) => {
        const name = names[`${h.x},${h.y}`]!;
        return <i key={name} data-handle={name} style={{ left: `${(h.x + 1) * 50}%`, top: `${(h.y + 1) * 50}%`, cursor: cursorOf(h, box.angle) }} />;
      })}
      <i data-handle="rotate" style={{ left: '50%', top: '-1.6rem', cursor: 'grab' }} />
    </>
  );
}

function Line({ guide: g, stage }: { guide: Guide; stage: Stage }) {
  const s = stage.scale.value, length = Math.max(1, (g.to - g.from) * s);
  const [x, y] = g.axis === 'x' ? [g.at * s, g.from * s] : [g.from * s, g.at * s];
  return (
    <div class="editor-guide" data-axis={g.axis} data-gap={g.gap !== undefined || undefined} style={{ transform: `translate(${x}px, ${y}px)`, [g.axis === 'x' ? 'height' : 'width']: `${length}px` }}>
      {g.gap !== undefined && <span>{rounded(g.gap)}</span>}
    </div>
  );
}

/** Overlay is drawn anew when something moves, and only for what is chosen. */
export function Overlay({ doc, stage }: { doc: Doc; stage: Stage }) {
  void doc.drawn.value; // what is measured here may have changed
  const t = traces.value, chosen = doc.selection.value, hovered = doc.hovered.value, { value: editing } = doc.editing;
  const boxes = chosen.map((a) => ({ address: a, box: t.boxes?.get(a) ?? doc.box(a) })).filter((b) => b.box !== null) as { address: string; box: Box }[];
  const one = boxes.length === 1 ? boxes[0]!.box : null;
  const whole = boxes.length > 1 ? t.whole ?? boxOfRect(around(boxes.map((b) => rectOf(b.box)))!) : null;
  const hover = hovered && !chosen.includes(hovered) && !t.boxes ? doc.box(hovered) : null;
  const scope = doc.scope.value ? doc.box(doc.scope.value) : null;
  const free = boxes.some(({ address }) => doc.node(address)?.locked === false && doc.node(address)?.kind !== 'page');
  const { value: troubles } = doc.problems;
  const s = stage.scale.value, said = whole ?? one;
  return (
    <div class="editor-overlay" aria-hidden="true" style={{ transform: `translate(${stage.x.value}px, ${stage.y.value}px)` }}>
      {scope && <Outline box={scope} stage={stage} kind="scope" />}
      {hover && <Outline box={hover} stage={stage} kind="hover" />}
      {!(t.boxes && boxes.length > parts) && boxes.map(({ address, box }) => (
        <Outline key={address} box={box} stage={stage} kind={editing === address ? 'text' : boxes.length > 1 ? 'part' : 'one'}>
          {boxes.length === 1 && free && editing !== address && <Handles box={box} stage={stage} />}
        </Outline>
      ))}
      {whole && <Outline box={whole} stage={stage} kind="whole">{free && <Handles box={whole} stage={stage} />}</Outline>}
      {!t.boxes && [...new Set(troubles.map((p) => p.node).filter(Boolean))].map((a) => {
        const box = doc.box(a!);
        const r = box && rectOf(box);
        return r && <b key={a} class="editor-badge" style={{ transform: `translate(${r.right * s}px, ${r.top * s}px)` }}>!</b>;
      })}
      {t.guides.map((g, i) => <Line key={i} guide={g} stage={stage} />)}
      {t.marquee && <Outline box={boxOfRect(t.marquee)} stage={stage} kind="marquee" />}
      {t.said && said && <span class="editor-said" style={{ transform: `translate(calc(${said.x * s}px - 50%), ${rectOf(said).bottom * s + 8}px)` }}>{t.said}</span>}
    </div>
  );
}
