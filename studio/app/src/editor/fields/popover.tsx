// A small sheet beside its button: the browser's own popover, which Escape and
// a press elsewhere close.

import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';

/** Popover shows what it holds while it is open, in sight and beside its button. */
export function Popover({ label, button, kind = '', wide, disabled, children }: {
  label: string; button: ComponentChildren; kind?: string; wide?: boolean; disabled?: boolean; children: ComponentChildren | ((close: () => void) => ComponentChildren);
}) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const place = () => {
    const [at, el] = [opener.current!.getBoundingClientRect(), sheet.current!];
    const [w, h] = [el.offsetWidth, el.offsetHeight];
    const below = at.bottom + 4 + h <= innerHeight;
    el.style.left = `${Math.max(8, Math.min(at.left, innerWidth - w - 8))}px`;
    el.style.top = `${below ? at.bottom + 4 : Math.max(8, Math.min(at.top - h - 4, innerHeight - h - 8))}px`;
  };
  return (
    <>
      <button ref={opener} type="button" class={kind} aria-label={label} title={label} aria-haspopup="dialog" aria-expanded={open} disabled={disabled} popoverTarget={id}>{button}</button>
      <div ref={sheet} id={id} popover="auto" role="dialog" aria-label={label} class={`popover${wide ? ' wide' : ''}`}
        onToggle={(e) => {
          const now = (e as unknown as ToggleEvent).newState === 'open';
          setOpen(now);
          if (now) requestAnimationFrame(place);
        }}
        onKeyDown={(e) => e.stopPropagation()}>
        {open && (typeof children === 'function' ? children(() => sheet.current?.hidePopover()) : children)}
      </div>
    </>
  );
}
