// A colour: by the browser's picker, by hex and alpha, or by a token.

import { useEffect, useState } from 'preact/hooks';

import { type Colour, colourOf, css, hex, tokenOf } from './colours.ts';
import { NumberField } from './number.tsx';
import { Popover } from './popover.tsx';

export interface Token {
  name: string;
  value: string;
}

/** Swatch shows a colour on squares, so that one sees what shines through it. */
export function Swatch({ colour }: { colour: string | undefined }) {
  return <span class="swatch" aria-hidden="true"><i style={{ background: colour && !colour.includes('{{') ? colour : 'transparent' }} /></span>;
}

/** resolved is a colour with its token's value in place of the token. */
export function resolved(text: string, tokens: Token[], deep = 4): string {
  const name = tokenOf(text);
  const token = name && tokens.find((t) => t.name === name);
  return token && deep > 0 ? resolved(token.value, tokens, deep - 1) : text;
}

const black: Colour = { r: 0, g: 0, b: 0, a: 1 };

/** ColourEditor is what the sheet of a colour field holds; gradients edit their stops with it. */
export function ColourEditor({ value, tokens, change, live }: { value: string; tokens: Token[]; change: (value: string) => void; live?: (value: string) => void }) {
  const colour = colourOf(resolved(value, tokens));
  const [text, setText] = useState(tokenOf(value) ? value : colour ? hex(colour) : value);
  useEffect(() => setText(tokenOf(value) ? value : colour ? hex(colour) : value), [value]);
  const typed = () => {
    const next = colourOf(text) ?? colourOf(`#${text}`);
    if (tokenOf(text)) change(text.trim());
    else if (next) change(css(next.a < 1 ? next : { ...next, a: colour?.a ?? 1 }));
    else setText(colour ? hex(colour) : value);
  };
  const picked = (to: string): string => css({ ...colourOf(to)!, a: colour?.a || 1 });
  return (
    <div class="colour-editor">
      <div class="pair">
        <input type="color" aria-label="Pick a colour" value={hex(colour ?? black)} onInput={(e) => live?.(picked(e.currentTarget.value))} onChange={(e) => change(picked(e.currentTarget.value))} />
        <input class="input mono" aria-label="Colour as hex or CSS" spellcheck={false} autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} onBlur={() => text !== value && typed()} onKeyDown={(e) => e.key === 'Enter' && typed()} />
        <NumberField label="Alpha" short="A" unit="%" min={0} max={100} value={colour ? Math.round(colour.a * 100) : undefined} disabled={!colour} change={(a) => colour && change(css({ ...colour, a: (a ?? 100) / 100 }))} />
      </div>
      {tokens.some((t) => colourOf(resolved(t.value, tokens))) && (
        <div class="tokens-pick" role="group" aria-label="Tokens">
          {tokens.filter((t) => colourOf(resolved(t.value, tokens))).map((t) => (
            <button key={t.name} type="button" class="chip pick" aria-pressed={tokenOf(value) === t.name} title={`--${t.name}: ${t.value}`} onClick={() => change(`var(--${t.name})`)}><Swatch colour={resolved(t.value, tokens)} />{t.name}</button>
          ))}
        </div>
      )}
    </div>
  );
}

/** ColourField shows a colour and its name, and opens its editor. */
export function ColourField({ label, value, tokens, change, mixed, none = 'none', disabled }: {
  label: string; value: string | undefined; tokens: Token[]; change: (value: string | null) => void; mixed?: boolean; none?: string; disabled?: boolean;
}) {
  const name = mixed ? 'mixed' : value === undefined || value === '' ? none : tokenOf(value) ?? value;
  return (
    <Popover label={`${label}: ${name}`} kind="input swatch-field" disabled={disabled} button={<><Swatch colour={mixed || !value ? undefined : resolved(value, tokens)} /><span class="clip">{name}</span></>}>
      {(close) => (
        <>
          <ColourEditor value={value ?? ''} tokens={tokens} change={change} />
          {value && <div class="actions"><button type="button" class="button plain" onClick={() => { change(null); close(); }}>No colour of its own</button></div>}
        </>
      )}
    </Popover>
  );
}
