// The newest images, and one of them large.

import { byId, make, mark, say, show, sync } from './dom.js';
import { ago, exact } from './words.js';

const rest = 1500; // the gallery changes at most so often, so that one can look at it
const keyOf = (i) => `${i.binding ?? ''}/${i.job ?? ''}/${i.key}/${i.output}`;

// owner says whose image it is: a binding's by its name, a batch's as such.
const owner = (i) => i.binding ?? 'batch';

export class Gallery {
  #list;
  #images = [];
  #waiting = null; // the newest state that is not shown yet
  #timer = 0;
  #started = false;
  #viewer;

  constructor(list) {
    this.#list = list;
    this.#viewer = new Viewer(() => this.#images);
    // Nothing moves under a pointer or a focus.
    for (const end of ['pointerleave', 'focusout']) list.addEventListener(end, () => this.#soon());
  }

  show(images) {
    this.#waiting = images;
    if (!this.#started) this.#draw();
    else this.#soon();
  }

  tick() {
    for (const image of this.#images) this.#age(this.#list.kept?.get(keyOf(image)), image);
  }

  #soon() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      const held = this.#list.matches(':hover') || this.#list.querySelector(':focus-visible');
      if (this.#waiting && !held) this.#draw();
    }, rest);
  }

  #draw() {
    const fresh = this.#started;
    this.#started = true;
    this.#images = this.#waiting;
    this.#waiting = null;
    this.#list.style.setProperty('--ratio', String(commonRatio(this.#images)));
    sync(this.#list, this.#images, keyOf, (image) => this.#build(image), (item, image) => this.#update(item, image, fresh));
  }

  #build() {
    const link = make('a', { class: 'tile' }, make('span', { class: 'frame' }), make('b'), make('small'));
    const item = make('li', {}, link);
    link.addEventListener('click', (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      this.#viewer.open(item.image);
    });
    return item;
  }

  #update(item, image, fresh) {
    const link = item.firstElementChild;
    const [frame, name] = link.children;
    const before = item.image;
    item.image = image;
    mark(link, 'href', image.path);
    mark(link, 'aria-label', `${image.name}, ${owner(image)}, ${image.output}`);
    say(name, image.name);
    mark(name, 'title', image.name);
    this.#age(item, image);
    if (before?.path === image.path) return;
    this.#picture(frame, image);
    if (fresh) {
      link.classList.remove('new');
      void link.offsetWidth; // the animation begins anew
      link.classList.add('new');
    }
  }

  // picture puts the new image over the old one once it can be drawn. A PDF is no
  // image: its tile says so.
  #picture(frame, image) {
    if (image.format === 'pdf') {
      frame.replaceChildren(sheet(image));
      return;
    }
    const img = make('img', { alt: '', width: String(image.width), height: String(image.height), loading: 'lazy', decoding: 'async' });
    img.addEventListener('load', () => {
      img.classList.add('here');
      for (const old of [...frame.children]) {
        if (old === img) break;
        setTimeout(() => old.remove(), 400);
      }
    }, { once: true });
    frame.append(img);
    img.src = image.path;
  }

  #age(item, image) {
    if (!item) return;
    const small = item.firstElementChild.lastElementChild;
    say(small, `${owner(image)} · ${ago(image.renderedAt)}`);
    mark(small, 'title', exact(image.renderedAt));
  }
}

// sheet stands for a PDF, in the shape of its first page.
function sheet({ width, height }) {
  const paper = make('span', { class: 'sheet' }, 'PDF');
  if (width && height) paper.style.setProperty('--ratio', String(width / height));
  return paper;
}

// commonRatio is the shape that most images have, within what fits a tile.
function commonRatio(images) {
  const tally = new Map();
  for (const { width, height } of images) {
    if (!width || !height) continue;
    const ratio = Math.min(2.4, Math.max(0.7, width / height)).toFixed(3);
    tally.set(ratio, (tally.get(ratio) ?? 0) + 1);
  }
  let best = ['1.9', 0];
  for (const one of tally) if (one[1] > best[1]) best = one;
  return best[0];
}

class Viewer {
  #dialog = byId('viewer');
  #all;
  #image;

  constructor(all) {
    this.#all = all;
    byId('viewer-close').addEventListener('click', () => this.#dialog.close());
    byId('viewer-copy').addEventListener('click', (e) => copy(e.currentTarget, this.#address()));
    this.#dialog.addEventListener('click', (e) => { if (e.target === this.#dialog) this.#dialog.close(); });
    this.#dialog.addEventListener('keydown', (e) => {
      if (e.key === 'ArrowRight') this.#step(1);
      if (e.key === 'ArrowLeft') this.#step(-1);
    });
  }

  open(image) {
    this.#draw(image);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #address() { return new URL(this.#image.stablePath ?? this.#image.path, location.href).href; }

  #step(by) {
    const all = this.#all();
    const at = all.findIndex((i) => keyOf(i) === keyOf(this.#image));
    if (all.length) this.#draw(all[(at + by + all.length) % all.length]);
  }

  #draw(image) {
    this.#image = image;
    const img = byId('viewer-image');
    const pdf = image.format === 'pdf';
    show(img, !pdf);
    mark(img, 'src', pdf ? null : image.path);
    mark(img, 'alt', `The image of ${image.name}`);
    byId('viewer-sheet').replaceChildren(...(pdf ? [sheet(image)] : []));
    say(byId('viewer-open'), pdf ? 'Open the PDF' : 'Open');
    say(byId('viewer-title'), image.name);
    const facts = {
      [image.binding ? 'Binding' : 'Batch']: image.binding ?? image.job,
      Output: `${image.output}, ${image.width} × ${image.height}${pdf ? ' on its first page' : ''}, ${image.format}`,
      Rendered: `${ago(image.renderedAt)} · ${new Date(image.renderedAt).toLocaleString()}`,
      Address: this.#address(),
    };
    byId('viewer-facts').replaceChildren(...Object.entries(facts).flatMap(([k, v]) => [make('dt', {}, k), make('dd', {}, v)]));
    mark(byId('viewer-open'), 'href', this.#address());
  }
}

// copy puts text on the clipboard and says so on the button.
export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    say(button, 'Copied');
  } catch {
    say(button, 'Not allowed here');
  }
  setTimeout(() => say(button, before), 1500);
}
