// The source beside the canvas. What is written goes to the daemon after a
// pause; what it refuses stays, with its fault at its place. What the canvas or
// somebody else changes meanwhile is put into the text where it does not touch
// what is being written.

import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';

import type { Doc } from '../document.ts';
import { Mark } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';
import { tell } from '../../ui/toast.tsx';
import { onTop, spliceOf } from './merge.ts';
import type { Source as Mirror } from './mirror.ts';
import { wanted } from './place.ts';
import { faultsIn, nodeAt, spanOf } from './places.ts';
import './source.css';

const pause = 900; // ms of quiet before what was written is sent

type State = 'same' | 'typing' | 'sending' | 'refused' | 'apart';

/** A Desk holds the text that is written against the text that the daemon has. */
class Desk {
  private known: string; // the document's text that the mirror's is based on
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending = false;

  constructor(private readonly doc: Doc, readonly mirror: Mirror, private readonly say: (state: State) => void) {
    this.known = doc.source.value;
  }

  get dirty(): boolean {
    return this.mirror.text() !== this.known;
  }

  typed(): void {
    clearTimeout(this.timer);
    if (!this.dirty) return this.say('same');
    this.say('typing');
    this.timer = setTimeout(() => void this.send(), pause);
  }

  async send(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.dirty || this.sending) return;
    const text = this.mirror.text();
    this.sending = true;
    this.say('sending');
    const took = await this.doc.setSource(text).catch((e: unknown) => (tell(e), false));
    this.sending = false;
    if (took) this.took();
    else this.say('refused');
    if (this.mirror.text() !== text) this.typed(); // written on meanwhile
  }

  /** took follows the document: what is new in it goes into the text. */
  took(): void {
    const next = this.doc.source.value;
    const text = this.mirror.text();
    if (next === text) {
      this.known = next;
      return this.say('same');
    }
    const theirs = spliceOf(this.known, next);
    if (!theirs || this.sending) return;
    const put = onTop(spliceOf(this.known, text), theirs);
    if (!put) return this.say('apart');
    this.known = next;
    this.mirror.splice(put);
    if (!this.dirty) this.say('same');
    else this.typed();
  }

  /** give ends that both changed the same: the document's text, or what was written. */
  give(mine: boolean): void {
    const next = this.doc.source.value;
    this.known = next;
    if (mine) return void this.send();
    const back = spliceOf(this.mirror.text(), next);
    if (back) this.mirror.splice(back);
    this.mirror.faults([]);
    this.say('same');
  }

  end(): void {
    clearTimeout(this.timer);
    if (this.dirty) void this.send();
  }
}

export function Source({ doc }: { doc: Doc }) {
  const host = useRef<HTMLDivElement>(null);
  const desk = useRef<Desk | undefined>(undefined);
  const [state, say] = useState<State>('same');
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    const ends: (() => void)[] = [];
    let ended = false;
    import('./mirror.ts').then(({ source }) => {
      if (ended || !host.current) return;
      let own = ''; // what was selected from here
      const mirror = source(host.current, {
        value: doc.source.value,
        typed: () => desk.current?.typed(),
        went: (offset) => {
          const node = desk.current?.dirty ? undefined : nodeAt(doc.nodes.value.values(), offset);
          own = node?.address ?? '';
          if (node && doc.selection.value.join() !== own) doc.select([node.address]);
        },
        save: () => void desk.current?.send(),
      });
      desk.current = new Desk(doc, mirror, say);
      ends.push(() => desk.current?.end(), () => mirror.end());
      ends.push(effect(() => {
        void doc.source.value;
        desk.current?.took();
      }));
      ends.push(effect(() => {
        const address = doc.selection.value[0];
        const node = address === undefined ? undefined : doc.nodes.value.get(address);
        if (!desk.current?.dirty) mirror.show(node ? { from: node.span[0], to: node.span[1] } : null, address !== own && !mirror.focused());
        if (address !== own) own = '';
      }));
      ends.push(effect(() => {
        const refused = doc.refused.value;
        const text = mirror.text();
        if (refused?.source !== undefined) mirror.faults(faultsIn(text, refused.failure).filter((f) => f.placed));
        else {
          mirror.faults([...doc.findings.value, ...doc.problems.value].flatMap((p) => {
            const span = desk.current?.dirty ? undefined : spanOf(text, p);
            const level = 'fatal' in p ? (p.fatal ? 'error' as const : 'warning' as const) : p.level;
            return span ? [{ ...span, message: p.message, hint: p.hint, level }] : [];
          }));
        }
      }));
      ends.push(effect(() => {
        const place = wanted.value;
        if (!place) return;
        wanted.value = null;
        mirror.goTo(place.from, place.to);
      }));
    }).catch(setFailed);
    return () => {
      ended = true;
      for (const end of ends) end();
      desk.current = undefined;
    };
  }, [doc]);
  const refused = doc.refused.value?.source !== undefined ? doc.refused.value : undefined;
  return (
    <div class="source-panel">
      <div class="source-host" ref={host} onKeyDown={(e) => e.stopPropagation()} />
      <div class="source-foot" role="status">
        {failed !== undefined && <Mark level="error">The editor for the source did not load. Reload the page.</Mark>}
        {state === 'same' && <Mark level="ok">As the document</Mark>}
        {state === 'typing' && <Mark level="busy">Sent when you pause</Mark>}
        {state === 'sending' && <Mark level="busy">Sending</Mark>}
        {state === 'refused' && <Mark level="error">Not taken; the document is as before{refused ? `: ${counted(Math.max(1, refused.failure.errors.length), 'fault')}` : ''}</Mark>}
        {state === 'apart' && <><Mark level="warn">The document was changed where you write.</Mark><button type="button" class="button" onClick={() => desk.current?.give(true)}>Send mine</button><button type="button" class="button" onClick={() => desk.current?.give(false)}>Take the document's</button></>}
        {state === 'refused' && refused && <Faults doc={doc} go={(from, to) => desk.current?.mirror.goTo(from, to)} text={() => desk.current?.mirror.text() ?? ''} />}
        {state === 'refused' && <button type="button" class="button" onClick={() => { desk.current?.give(false); doc.refused.value = null; }}>Give up what I wrote</button>}
      </div>
    </div>
  );
}

function Faults({ doc, go, text }: { doc: Doc; go: (from: number, to: number) => void; text: () => string }) {
  const refused = doc.refused.value!;
  return (
    <ul class="source-faults">
      {faultsIn(text(), refused.failure).slice(0, 5).map((f, i) => (
        <li key={i}>{f.placed ? <button type="button" class="button plain" onClick={() => go(f.from, f.to)}>{f.message}</button> : f.message}{f.hint && <span class="soft"> {f.hint}</span>}</li>
      ))}
    </ul>
  );
}
