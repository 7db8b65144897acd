// Writing in a text where it stands, with the browser's own caret. What is
// written is the text of the template, with its {{ }}, and not of the row.

import type { Doc } from './document.ts';
import type { DocNode, Op } from './model.ts';
import type { Point } from './stage.ts';

export class TextEditing {
  private element: HTMLElement | null = null;
  private address = '';
  private was = '';
  private style: string | null = null;
  private content: ChildNode[] = [];
  private kept = false; // white space is shown as it is written
  private release: (() => void) | undefined;

  constructor(private readonly doc: Doc) {}

  /** begin opens a text; false where there is none that may be written in. */
  begin(address: string): boolean {
    const { doc } = this, n = doc.node(address), el = doc.frame?.element(address);
    if (!n || !el || n.locked || n.kind !== 'text' && n.kind !== 'shape' || n.rich && !brOnly(n.html) || doc.editing.value) return false;
    if (n.kind === 'shape' && n.tag !== 'div') return false;
    this.release = doc.frame!.hold();
    doc.frame!.plain(el);
    this.element = el;
    this.address = address;
    this.kept = doc.style(address, 'white-space-collapse').startsWith('preserve');
    this.was = this.kept ? n.text ?? '' : plain(n);
    this.style = el.getAttribute('style');
    this.content = [...el.childNodes];
    el.textContent = this.was;
    if (!this.kept) el.style.setProperty('white-space', 'pre-wrap', 'important'); // Enter is a character
    el.setAttribute('contenteditable', 'plaintext-only');
    el.style.setProperty('outline', 'none');
    el.style.setProperty('overflow', 'visible', 'important');
    el.style.setProperty('user-select', 'text', 'important');
    doc.editing.value = address;
    doc.frame!.iframe.style.pointerEvents = 'auto'; // the caret is the browser's
    el.addEventListener('keydown', this.key);
    el.addEventListener('input', this.input);
    el.addEventListener('blur', this.blur);
    el.focus();
    doc.frame!.window.getSelection()?.selectAllChildren(el);
    doc.frame!.changed();
    return true;
  }

  /** caret puts the caret at a point of the page. */
  caret(at: Point): void {
    const { frame } = this.doc;
    if (!frame || !this.element) return;
    const range = frame.document.caretRangeFromPoint(at.x, at.y);
    this.element.focus();
    if (!range || !this.element.contains(range.startContainer)) return;
    frame.window.getSelection()?.setBaseAndExtent(range.startContainer, range.startOffset, range.startContainer, range.startOffset);
  }

  private readonly input = () => this.doc.frame?.changed();

  private readonly blur = () => this.end();

  private readonly key = (e: KeyboardEvent) => {
    e.stopPropagation();
    if (e.key === 'Escape') {
      e.preventDefault();
      this.end(false);
    } else if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      this.end();
    }
  };

  /** end sends what was written; or takes it back. */
  end(keep = true): void {
    const { element: el, doc, address } = this;
    if (!el) return;
    this.element = null;
    el.removeEventListener('keydown', this.key);
    el.removeEventListener('input', this.input);
    el.removeEventListener('blur', this.blur);
    const written = (el.textContent ?? '').replace(/\n$/, ''), text = this.was.includes('\u00a0') ? written : written.replaceAll('\u00a0', ' ');
    el.removeAttribute('contenteditable');
    if (this.style === null) el.removeAttribute('style');
    else el.setAttribute('style', this.style);
    el.blur();
    if (document.activeElement === doc.frame!.iframe) doc.frame!.iframe.closest<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    doc.frame!.iframe.style.pointerEvents = '';
    doc.editing.value = '';
    const { release } = this;
    if (keep && text !== this.was) {
      const { id, ops } = doc.named(address);
      void doc.apply([...ops, textOp(id, text, this.kept)], { label: `Write in ${doc.title(address)}` }).finally(() => release?.());
    } else {
      el.replaceChildren(...this.content); // the row's values
      release?.();
      void doc.frame?.lay();
      doc.frame?.changed();
    }
  }
}

const brOnly = (html: string | undefined) => !/<(?!br\b)[a-z/!]/i.test(html ?? '');

/** plain is the text of a node as one reads it: line breaks are those that show. */
function plain(n: DocNode): string {
  if (!n.rich) return (n.text ?? '').replace(/\s+/g, ' ').trim();
  const lines = (n.html ?? '').split(/\s*<br[^>]*>\s*/i).map((line) => new DOMParser().parseFromString(line, 'text/html').body.textContent ?? '');
  return lines.map((line) => line.replace(/\s+/g, ' ').trim()).join('\n');
}

/** textOp writes a text; line breaks are elements where the white space of a text does not show. */
function textOp(id: string, text: string, kept: boolean): Op {
  if (kept || !text.includes('\n')) return { op: 'set_text', id, text };
  return { op: 'set_text', id, html: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\n', '<br>') };
}
