// The layout script: fits texts into their boxes and images to their focus, by
// attributes that stand in the page. The renderer and the editor run the same
// text of it, so that they show the same.
//
//   pictifydLayout(root, { restore: true }?) -> Promise of
//     { layers:   [{ layer, fontPx, lines, clipped, changed, cut }],
//       problems: [{ layer, problem }] }
//
// root is a document or an element of one. layers has each visible element with
// p-fit, but for p-fit="none", and each other text layer whose text is clipped.
// What a run changes it takes back at the start of the next one; with restore it
// takes it back and does no more. It writes into the page only, as inline
// styles and as shortened text, never into what the page was made of.
(() => {
  'use strict';

  // Names of elements shadow properties of forms and documents: so everything
  // is read from the prototypes.
  const call = Function.prototype.call;
  const getter = (proto, name) => call.bind(Object.getOwnPropertyDescriptor(proto, name).get);
  const method = (proto, name) => call.bind(proto[name]);
  const typeOf = getter(Node.prototype, 'nodeType');
  const connected = getter(Node.prototype, 'isConnected');
  const documentOf = getter(Node.prototype, 'ownerDocument');
  const parentOf = getter(Node.prototype, 'parentElement');
  const childrenOf = getter(Node.prototype, 'childNodes');
  const contains = method(Node.prototype, 'contains');
  const viewOf = getter(Document.prototype, 'defaultView');
  const fontsOf = getter(Document.prototype, 'fonts');
  const adopted = getter(Document.prototype, 'adoptedStyleSheets');
  const adopt = call.bind(Object.getOwnPropertyDescriptor(Document.prototype, 'adoptedStyleSheets').set);
  const rootOf = getter(Document.prototype, 'documentElement');
  const namespaceOf = getter(Element.prototype, 'namespaceURI');
  const tagOf = getter(Element.prototype, 'localName');
  const attribute = method(Element.prototype, 'getAttribute');
  const setAttribute = method(Element.prototype, 'setAttribute');
  const dropAttribute = method(Element.prototype, 'removeAttribute');
  const matches = method(Element.prototype, 'matches');
  const closest = method(Element.prototype, 'closest');
  const rectOf = method(Element.prototype, 'getBoundingClientRect');
  const rectsOf = method(Element.prototype, 'getClientRects');
  const scrollWidth = getter(Element.prototype, 'scrollWidth');
  const clientWidth = getter(Element.prototype, 'clientWidth');
  const inlineOf = getter(HTMLElement.prototype, 'style');
  const dataOf = getter(CharacterData.prototype, 'data');
  const setData = call.bind(Object.getOwnPropertyDescriptor(CharacterData.prototype, 'data').set);

  const zoomGetter = Object.getOwnPropertyDescriptor(Element.prototype, 'currentCSSZoom');
  const zoomOf = zoomGetter ? call.bind(zoomGetter.get) : () => 1;

  const isElement = (node) => typeOf(node) === 1;
  const isHTML = (element) => namespaceOf(element) === 'http://www.w3.org/1999/xhtml';
  const findAll = (root, selector) => {
    const all = (isElement(root) ? Element : Document).prototype.querySelectorAll.call(root, selector);
    return isElement(root) && matches(root, selector) ? [root, ...all] : [...all];
  };

  // nameOf is what the report calls an element: its id, or where it is.
  const nameOf = (element) => {
    const name = attribute(element, 'id') || attribute(element, 'p-name');
    if (name) return name;
    const layer = parentOf(element) && closest(parentOf(element), '[id]');
    return (layer ? attribute(layer, 'id') + ' > ' : '') + tagOf(element);
  };

  // ---- What a run changed, to be taken back by the next one.

  const styled = new Map(), shortened = new Map();

  const override = (element, property, value) => {
    const style = inlineOf(element);
    let entry = styled.get(element);
    if (!entry) styled.set(element, entry = { before: attribute(element, 'style'), own: new Map() });
    if (!entry.own.has(property)) {
      entry.own.set(property, { before: style.getPropertyValue(property), priority: style.getPropertyPriority(property) });
    }
    style.setProperty(property, value, 'important');
  };

  const shorten = (node, data) => {
    if (!shortened.has(node)) shortened.set(node, { before: dataOf(node) });
    if (dataOf(node) !== data) setData(node, data);
  };

  // seal notes how things stand after a run.
  const seal = () => {
    for (const [element, entry] of styled) {
      entry.after = attribute(element, 'style');
      for (const [property, own] of entry.own) own.after = inlineOf(element).getPropertyValue(property);
    }
    for (const [node, entry] of shortened) entry.after = dataOf(node);
  };

  // restore leaves alone what somebody else has changed since.
  const restore = (root) => {
    for (const [element, entry] of styled) {
      if (connected(element) && !contains(root, element)) continue;
      styled.delete(element);
      restyle(element, entry);
    }
    for (const [node, entry] of shortened) {
      if (connected(node) && !contains(root, node)) continue;
      shortened.delete(node);
      if (dataOf(node) === entry.after) setData(node, entry.before);
    }
  };

  const restyle = (element, { before, after, own }) => {
    if (attribute(element, 'style') === after) {
      if (before === null) dropAttribute(element, 'style');
      else setAttribute(element, 'style', before);
      return;
    }
    const style = inlineOf(element);
    for (const [property, mine] of own) {
      if (style.getPropertyValue(property) !== mine.after || style.getPropertyPriority(property) !== 'important') continue;
      if (mine.before) style.setProperty(property, mine.before, mine.priority);
      else style.removeProperty(property);
    }
  };

  // ---- Attributes.

  const fits = ['none', 'shrink', 'fit', 'ellipsis'];

  // settingsOf reads the attributes of a text. What makes no sense is reported,
  // and left out.
  const settingsOf = (element, complain) => {
    const number = (name, pattern, what) => {
      const text = attribute(element, name);
      if (text === null) return undefined;
      const found = pattern.exec(text);
      if (found && Number(found[1]) > 0) return Number(found[1]);
      complain(element, `${name}="${text.slice(0, 40)}" is not ${what}`);
      return undefined;
    };
    const pixels = /^\s*(\d{1,5}(?:\.\d+)?)\s*(?:px)?\s*$/;
    const settings = {
      mode: attribute(element, 'p-fit').trim(),
      min: number('p-min', pixels, 'a size in px'),
      max: number('p-max', pixels, 'a size in px'),
      lines: number('p-lines', /^\s*(\d{1,5})\s*$/, 'a number of lines'),
    };
    if (!fits.includes(settings.mode)) {
      complain(element, `p-fit="${settings.mode.slice(0, 40)}" is not one of ${fits.join(', ')}`);
      settings.mode = 'none';
    }
    if (settings.min > settings.max) {
      complain(element, `p-min is ${settings.min}, but p-max is ${settings.max}`);
      settings.max = undefined;
    }
    return settings;
  };

  const fractions = (text, count) => {
    const parts = text.trim().split(/[\s,]+/);
    const numbers = parts.map(Number);
    return parts.length === count && parts.every((p) => /^(\d+\.?\d*|\.\d+)$/.test(p)) && numbers.every((n) => n <= 1) ? numbers : null;
  };

  // ---- Measuring. Everything is in the units of layout: transforms are off
  // while a run measures. Positions are logical: i along a line, b across lines.

  const number = (text) => parseFloat(text) || 0;

  const logical = (rect, upright) => (upright
    ? { i0: rect.left, i1: rect.right, b0: rect.top, b1: rect.bottom }
    : { i0: rect.top, i1: rect.bottom, b0: rect.left, b1: rect.right });

  // contentBox is an element's box without border and padding.
  const contentBox = (element, style) => {
    const r = rectOf(element), zoom = zoomOf(element);
    const inset = (side) => (number(style[`border${side}Width`]) + number(style[`padding${side}`])) * zoom;
    return { left: r.left + inset('Left'), right: r.right - inset('Right'), top: r.top + inset('Top'), bottom: r.bottom - inset('Bottom') };
  };

  // openText collects what a text consists of. Children that are positioned for
  // themselves are no part of it, nor are readings above ideographs.
  const openText = (element, settings) => {
    const doc = documentOf(element), view = viewOf(doc), style = view.getComputedStyle(element);
    const text = { element, settings, style, doc, nodes: [], parts: [], authored: number(style.fontSize), length: 0 };
    text.name = nameOf(element);
    text.range = Document.prototype.createRange.call(doc);
    const add = (parent, parentStyle) => {
      for (const child of childrenOf(parent)) {
        if (typeOf(child) === 3) {
          text.nodes.push({ node: child, style: parentStyle, start: text.length, data: dataOf(child) });
          text.length += dataOf(child).length;
        } else if (isElement(child) && isHTML(child)) {
          const own = view.getComputedStyle(child), display = own.display;
          if (display === 'none' || display === 'ruby-text' || own.position === 'absolute' || own.position === 'fixed') continue;
          text.parts.push({ element: child, style: own, start: text.length, box: display !== 'inline' && display !== 'contents' });
          add(child, own);
        }
      }
    };
    add(element, style);
    return text;
  };

  // measure is how a text stands in its box. It counts line boxes, not ink:
  // where lines are set tighter than the font is high, that is what fits.
  const measure = (text) => {
    const upright = text.style.writingMode.startsWith('horizontal'), zoom = zoomOf(text.element);
    const box = logical(contentBox(text.element, text.style), upright);
    const all = { i0: Infinity, i1: -Infinity, b0: Infinity, b1: -Infinity }, lines = [];
    const extend = (r) => {
      all.i0 = Math.min(all.i0, r.i0); all.i1 = Math.max(all.i1, r.i1);
      all.b0 = Math.min(all.b0, r.b0); all.b1 = Math.max(all.b1, r.b1);
    };
    for (const { node, style } of text.nodes) {
      text.range.selectNodeContents(node);
      const lineHeight = parseFloat(style.lineHeight) * zoom;
      for (const rect of text.range.getClientRects()) {
        if (rect.width === 0 || rect.height === 0) continue;
        const r = logical(rect, upright);
        lines.push([r.b0, r.b1]);
        const leading = ((lineHeight || r.b1 - r.b0) - (r.b1 - r.b0)) / 2;
        r.b0 -= leading;
        r.b1 += leading;
        extend(r);
      }
    }
    for (const part of text.parts) {
      if (!part.box || part.start >= text.cut) continue;
      const rect = rectOf(part.element);
      if (rect.width > 0 && rect.height > 0) extend(logical(rect, upright));
    }
    // Preserved spaces at the end of a line hang over, and nobody sees them.
    const hangs = upright && text.style.whiteSpace === 'pre-wrap';
    const along = all.i0 >= box.i0 - 0.25 && all.i1 <= box.i1 + 0.25 ||
      hangs && scrollWidth(text.element) <= clientWidth(text.element);
    const empty = all.i0 === Infinity, count = countLines(lines);
    // Chrome rounds where glyphs stand in a line, but not how high the line is,
    // unless the page is zoomed: then it rounds that of each line as well.
    const slack = zoom === 1 ? 0.25 : 0.25 + count;
    const across = all.b0 >= box.b0 - 1 && all.b1 <= box.b1 + 1 && all.b1 - all.b0 <= box.b1 - box.b0 + slack;
    return {
      empty, lines: count, along: empty || along, across: empty || across, few: count <= (text.settings.lines || Infinity),
      inlineSize: box.i1 - box.i0, blockSize: box.b1 - box.b0,
    };
  };

  // countLines takes boxes for one line that overlap by half.
  const countLines = (boxes) => {
    boxes.sort((a, b) => a[0] + a[1] - b[0] - b[1]);
    let count = 0, line = null;
    for (const box of boxes) {
      const overlap = line ? Math.min(box[1], line[1]) - Math.max(box[0], line[0]) : -1;
      if (line && overlap >= Math.min(box[1] - box[0], line[1] - line[0]) / 2) {
        if (box[1] - box[0] > line[1] - line[0]) line = box;
        continue;
      }
      count++;
      line = box;
    }
    return count;
  };

  const fitsBox = (m) => m.along && m.across && m.few;

  // ---- Font sizes.

  const step = 0.25, ceiling = 2000;
  const scaled = ['fontSize', 'lineHeight', 'letterSpacing'];
  const cssName = { fontSize: 'font-size', lineHeight: 'line-height', letterSpacing: 'letter-spacing' };

  // remember notes the sizes of a text at its authored size; follow, at twice
  // that, which of them don't follow the element's by themselves.
  const remember = (text) => {
    text.sizes = [];
    for (const part of [text, ...text.parts]) {
      for (const property of scaled) {
        const value = parseFloat(part.style[property]);
        if (value && !(part === text && property === 'fontSize')) text.sizes.push({ part, property, value });
      }
    }
  };
  const follow = (text) => {
    text.stiff = text.sizes.filter(({ part, property, value }) => Math.abs(parseFloat(part.style[property]) / value - 2) > 0.05);
  };

  const setSize = (text, size) => {
    override(text.element, 'font-size', size + 'px');
    for (const { part, property, value } of text.stiff || []) {
      override(part.element, cssName[property], value * size / text.authored + 'px');
    }
  };

  // ladder is every size from low to high: both, and the steps between them.
  const ladder = (low, high) => {
    const first = Math.floor(low / step) + 1, between = Math.max(0, Math.ceil(high / step) - first);
    return { count: between + 2, at: (i) => (i === 0 ? low : i > between ? high : (first + i - 1) * step) };
  };

  // sizeSearch looks for the largest size that fits. now is the measure at the
  // authored size, twice the one at twice that.
  const sizeSearch = (text, now, twice, complain) => {
    const { mode, min, max } = text.settings, authored = text.authored;
    const low = Math.min(authored, min ?? Math.max(6, 0.4 * authored));
    let top = Math.min(authored, max ?? authored);
    if (mode === 'fit') {
      const grows = Math.abs(twice.blockSize - now.blockSize) > 0.5;
      top = max ?? (grows ? ceiling : Math.min(ceiling, 2 * now.blockSize));
      if (max === undefined && grows && !text.settings.lines) {
        complain(text.element, 'p-fit="fit" needs a box of fixed height, p-lines or p-max');
        top = authored;
      }
    }
    // The authored size may be above p-max, or what is to be fitted too large already.
    const known = fitsBox(now) && authored <= top;
    const sizes = known ? ladder(authored, Math.max(top, authored)) : ladder(Math.min(low, top), Math.min(authored, top));
    const search = { text, sizes, low: 0, high: sizes.count, top: sizes.count, fits: () => fitsBox(measure(text)) };
    if (sizes.at(0) === sizes.at(sizes.count - 1)) search.high = search.top = 1;
    if (!known && !fitsBox(now) && sizes.at(sizes.count - 1) === authored) search.high = sizes.count - 1;
    search.apply = (i) => setSize(text, sizes.at(i));
    search.finish = (i) => {
      if (max === undefined && sizes.at(i) >= ceiling && ceiling > authored) {
        complain(text.element, 'p-fit="fit" grows without end: it needs a box of fixed size or p-max');
        setSize(text, authored);
      } else setSize(text, sizes.at(i));
    };
    return search;
  };

  // ---- Ellipsis.

  const ideographs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
  const longWord = 24;
  const mostLetters = 50_000; // that a box can hold

  const segments = (language, granularity, text) => {
    let segmenter;
    try {
      segmenter = new Intl.Segmenter(language || 'en', { granularity });
    } catch {
      segmenter = new Intl.Segmenter('en', { granularity });
    }
    return segmenter.segment(text);
  };

  // wordStart is where a text is cut rather than within a word: not where words
  // have no spaces about them, nor in a word that fills a line by itself.
  const wordStart = (language, whole, cut) => {
    const from = Math.max(0, cut - 8 * longWord);
    const word = segments(language, 'word', whole.slice(from, cut + 8 * longWord)).containing(cut - from);
    const start = word ? from + word.index : cut;
    if (!word || !word.isWordLike || start === cut || word.segment.length > longWord || ideographs.test(word.segment)) return cut;
    return whole.slice(0, start).trim() ? start : cut;
  };

  const ellipsisSearch = (text) => {
    const whole = text.nodes.map((n) => n.data).join('');
    const holder = closest(text.element, '[lang]'), language = holder ? attribute(holder, 'lang') : '';
    const offsets = Array.from(segments(language, 'grapheme', whole.slice(0, mostLetters)), (s) => s.index);
    const cutAt = (cut) => {
      text.cut = cut;
      let last = 0; // the node that gets the dots
      text.nodes.forEach((n, k) => { if (n.start < cut && n.data.trim()) last = k; });
      text.nodes.forEach((n, k) => {
        const kept = n.data.slice(0, Math.max(0, cut - n.start));
        shorten(n.node, k === last ? kept.replace(/[\s,;:、，\-–—(（]+$/u, '') + '…' : kept);
      });
    };
    return {
      text, low: 0, high: offsets.length, top: offsets.length,
      apply: (i) => cutAt(offsets[i]), fits: () => fitsBox(measure(text)),
      finish: (i) => {
        cutAt(wordStart(language, whole, offsets[i]));
        for (const part of text.parts) if (part.start >= text.cut) override(part.element, 'display', 'none');
      },
    };
  };

  // ---- The search that both share.

  // bisect goes on in all searches at once: all write, then all measure, so that
  // the page is laid out once a round however many there are.
  const bisect = (searches) => {
    for (let open = searches; (open = open.filter((s) => s.high - s.low > 1)).length > 0;) {
      for (const s of open) s.apply(s.middle = (s.low + s.high) >> 1);
      for (const s of open) s.ok = s.fits();
      for (const s of open) if (s.ok) s.low = s.middle; else s.high = s.middle;
    }
    for (const s of searches) s.apply(s.low);
  };

  const monster = 2000; // letters

  // begin makes the searches of texts that stand at their authored size.
  const begin = (texts, complain) => {
    const sized = texts.filter((t) => t.settings.mode !== 'ellipsis');
    for (const t of sized) remember(t);
    for (const t of sized) setSize(t, 2 * t.authored);
    for (const t of sized) {
      t.twice = measure(t);
      follow(t);
    }
    const searches = texts.map((t) => (t.settings.mode === 'ellipsis' ? ellipsisSearch(t) : sizeSearch(t, t.now, t.twice, complain)));
    // Of a monster it is known soon that no size will do.
    const monsters = searches.filter((s) => s.text.length > monster && !fitsBox(s.text.now));
    for (const s of monsters) s.apply(0);
    for (const s of monsters) if (!s.fits()) s.high = s.top = 1;
    return searches;
  };

  const wants = ({ settings: { mode, max }, now, authored }) =>
    mode !== 'none' && !now.empty && (mode === 'fit' || !fitsBox(now) || mode === 'shrink' && max < authored);

  const fitTexts = (texts, complain) => {
    for (const t of texts) t.now = measure(t);
    const searches = begin(texts.filter(wants), complain);
    bisect(searches);
    unsqueeze(searches);
    // Whoever does not fit after all, or not any more, is fitted alone.
    for (const t of texts) {
      if (t.settings.mode === 'none' || t.now.empty || fitsBox(t.now = measure(t))) continue;
      let s = searches.find((one) => one.text === t);
      if (s) {
        s.high = s.low;
        s.low = 0;
      } else searches.push(s = begin([t], complain)[0]);
      bisect([s]);
    }
    for (const s of searches) s.finish(s.low);
    for (const t of texts) t.now = measure(t);
  };

  // unsqueeze looks for texts that could be larger now. In a stack one text's
  // tries take room from another, which then seems to need less than it gets.
  const unsqueeze = (searches) => {
    const open = searches.filter((s) => s.low + 1 < s.top);
    for (const s of open) s.apply(s.low + 1);
    for (const s of open) s.ok = s.fits();
    for (const s of open) s.apply(s.low);
    for (const s of open) {
      if (!s.ok) continue;
      s.high = s.top;
      bisect([s]);
    }
  };

  const clips = (text) => {
    const { now, style } = text;
    if (text.settings.mode !== 'none') return !fitsBox(now);
    const upright = style.writingMode.startsWith('horizontal');
    return !now.across || !now.few || !now.along && (upright ? style.overflowX : style.overflowY) !== 'visible';
  };

  const layerOf = (text) => {
    const fontPx = Math.round(number(text.style.fontSize) * 100) / 100, cut = text.cut !== undefined;
    return {
      layer: text.name, fontPx, lines: text.now.lines, clipped: clips(text), cut,
      changed: cut || Math.abs(fontPx - text.authored) > 0.01,
    };
  };

  // textsOf are the texts to look after: those with p-fit, and the layers with
  // text of their own, of which only the clipped ones matter.
  const textsOf = (root, complain) => {
    const texts = [];
    for (const element of findAll(root, '[p-fit], [id]')) {
      if (!isHTML(element) || rectsOf(element).length === 0) continue;
      const told = attribute(element, 'p-fit') !== null;
      if (!told && ![...childrenOf(element)].some((n) => typeOf(n) === 3 && dataOf(n).trim())) continue;
      const outer = parentOf(element) && closest(parentOf(element), '[p-fit]');
      if (outer) {
        if (told) complain(element, `p-fit stands within the text of ${nameOf(outer)}, and is left to it`);
        continue;
      }
      const settings = told ? settingsOf(element, complain) : { mode: 'none' };
      const text = openText(element, settings), display = text.style.display;
      if (text.style.visibility !== 'visible') continue;
      if (display !== 'inline' && display !== 'contents') texts.push(text);
      else if (told && settings.mode !== 'none') complain(element, 'p-fit needs an element with a box of its own, and this one is inline');
    }
    return texts;
  };

  // ---- Images.

  const decoded = getter(HTMLImageElement.prototype, 'complete');
  const naturalWidth = getter(HTMLImageElement.prototype, 'naturalWidth');
  const naturalHeight = getter(HTMLImageElement.prototype, 'naturalHeight');
  const decode = method(HTMLImageElement.prototype, 'decode');
  const clamp = (x) => Math.min(1, Math.max(0, x));
  const percent = (x) => Math.round(x * 1e6) / 1e4 + '%';

  const imagesOf = (root, complain) => {
    const images = [];
    for (const element of findAll(root, '[p-focus], [p-crop]')) {
      if (tagOf(element) !== 'img' || !isHTML(element)) {
        complain(element, 'p-focus and p-crop are for img only');
        continue;
      }
      const image = { element, crop: [0, 0, 1, 1], focus: null };
      const crop = attribute(element, 'p-crop'), focus = attribute(element, 'p-focus');
      if (crop !== null) {
        const c = fractions(crop, 4);
        if (c && c[2] > 0 && c[3] > 0 && c[0] + c[2] <= 1.000001 && c[1] + c[3] <= 1.000001) image.crop = c;
        else complain(element, `p-crop="${crop.slice(0, 40)}" is not "x y width height" in fractions of the image`);
      }
      if (focus !== null) {
        image.focus = focus.trim() === 'auto' ? 'auto' : fractions(focus, 2);
        if (!image.focus) complain(element, `p-focus="${focus.slice(0, 40)}" is neither "x y" in fractions of the image nor auto`);
      }
      if (decoded(element) && naturalWidth(element) > 0 && naturalHeight(element) > 0) images.push(image);
    }
    return images;
  };

  const placeImages = (images, complain) => {
    for (const { element, crop: [x, y, w, h] } of images) {
      if (x === 0 && y === 0 && w === 1 && h === 1) continue;
      override(element, 'object-view-box', `inset(${percent(y)} ${percent(clamp(1 - x - w))} ${percent(clamp(1 - y - h))} ${percent(x)})`);
    }
    const focused = images.filter((image) => image.focus && rectsOf(image.element).length > 0);
    for (const image of focused) image.place = placeOf(image, complain);
    for (const { element, place } of focused) if (place) override(element, 'object-position', place);
  };

  // placeOf is the object-position that brings the focus as near to the middle
  // of the box as the picture's edges allow.
  const placeOf = (image, complain) => {
    const { element, crop } = image, style = viewOf(documentOf(element)).getComputedStyle(element);
    const box = contentBox(element, style), width = box.right - box.left, height = box.bottom - box.top;
    const w = naturalWidth(element) * crop[2], h = naturalHeight(element) * crop[3];
    if (!(width > 0 && height > 0)) return null;
    const scale = { cover: Math.max(width / w, height / h), none: zoomOf(element) }[style.objectFit];
    if (scale === undefined) {
      complain(element, `p-focus needs object-fit: cover, and here it is ${style.objectFit}`);
      return null;
    }
    const seen = [width / (w * scale), height / (h * scale)];
    const focus = image.focus === 'auto' ? salient(image, seen, complain)
      : [clamp((image.focus[0] - crop[0]) / crop[2]), clamp((image.focus[1] - crop[1]) / crop[3])];
    const authored = style.objectPosition.split(' ');
    return seen.map((part, axis) => (part > 0.99999 ? authored[axis] || '50%' : percent(clamp((focus[axis] - part / 2) / (1 - part))))).join(' ');
  };

  const grid = 64;

  // salient guesses where the subject is: of all windows of the size that will
  // be seen, the one with most contour, strong colour and skin towards its
  // middle; the middle one where there is nothing to choose.
  const salient = ({ element, crop }, seen, complain) => {
    const w = naturalWidth(element), h = naturalHeight(element), long = Math.max(w * crop[2], h * crop[3]);
    const columns = Math.max(1, Math.round(grid * w * crop[2] / long)), rows = Math.max(1, Math.round(grid * h * crop[3] / long));
    let pixels;
    try {
      const canvas = new OffscreenCanvas(columns, rows).getContext('2d', { willReadFrequently: true });
      canvas.imageSmoothingQuality = 'medium';
      canvas.drawImage(element, crop[0] * w, crop[1] * h, crop[2] * w, crop[3] * h, 0, 0, columns, rows);
      pixels = canvas.getImageData(0, 0, columns, rows).data;
    } catch (e) {
      complain(element, `p-focus="auto" can't look at the image: ${String(e.message).slice(0, 100)}`);
      return [0.5, 0.5];
    }
    const across = new Float64Array(columns), down = new Float64Array(rows);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const s = salience(pixels, columns, rows, x, y);
        across[x] += s;
        down[y] += s;
      }
    }
    return [bestWindow(across, seen[0]), bestWindow(down, seen[1])];
  };

  const light = (p, i) => (0.3 * p[i] + 0.59 * p[i + 1] + 0.11 * p[i + 2]) * p[i + 3] / 255;

  const salience = (p, columns, rows, x, y) => {
    const at = (u, v) => 4 * (Math.min(rows - 1, Math.max(0, v)) * columns + Math.min(columns - 1, Math.max(0, u)));
    const i = at(x, y), r = p[i], g = p[i + 1], b = p[i + 2];
    const edge = Math.abs(light(p, at(x + 1, y)) - light(p, at(x - 1, y))) + Math.abs(light(p, at(x, y + 1)) - light(p, at(x, y - 1)));
    const most = Math.max(r, g, b), least = Math.min(r, g, b);
    const colour = most > 40 ? (most - least) / most : 0;
    const skin = r > 95 && g > 40 && b > 20 && r > g && g > b && most - least > 15 && r - g > 15 && r - g < 110;
    return (edge / 255 + 0.3 * colour * colour + (skin ? 0.5 : 0)) * p[i + 3] / 255;
  };

  const bestWindow = (sums, part) => {
    const n = sums.length, size = part * n;
    if (size >= n) return 0.5;
    let best = 0.5, score = -1;
    const total = sums.reduce((a, b) => a + b, 0) || 1;
    for (let k = 0, steps = 2 * n; k <= steps; k++) {
      const middle = size / 2 + (n - size) * k / steps;
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const away = Math.abs(i + 0.5 - middle) / (size / 2);
        if (away < 1) sum += sums[i] * (1 - 0.6 * away);
      }
      // A little for the middle of the image: it decides where all is alike.
      const value = sum / total - 0.05 * Math.abs(middle / n - 0.5);
      if (value > score + 1e-9) {
        score = value;
        best = middle / n;
      }
    }
    return best;
  };

  // ---- A run.

  const flat = 'p-layout-flat';
  // A transform that does nothing, as without any other elements would be the
  // ones that children are placed in.
  const flatStyle = `[${flat}]{transform:translate(0)!important;offset-path:none!important;rotate:none!important;scale:none!important;translate:none!important}` +
    '*,::before,::after{transition:none!important}';

  // flatten turns transforms off, and transitions, which would show sizes on
  // their way. It returns what turns them on again without starting any.
  const flatten = (doc, root) => {
    const view = viewOf(doc), marked = new Set(), seen = new Set();
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(flatStyle);
    for (const start of findAll(root, '[p-fit], [id], [p-focus], [p-crop]')) {
      for (let e = start; e && !seen.has(e); e = parentOf(e)) {
        seen.add(e);
        const s = view.getComputedStyle(e);
        if ([s.transform, s.rotate, s.scale, s.translate, s.offsetPath].some((value) => value && value !== 'none')) marked.add(e);
      }
    }
    adopt(doc, [...adopted(doc), sheet]);
    for (const e of marked) setAttribute(e, flat, '');
    return () => {
      for (const e of marked) dropAttribute(e, flat);
      rectOf(rootOf(doc));
      adopt(doc, [...adopted(doc)].filter((s) => s !== sheet));
    };
  };

  const run = (doc, root) => {
    const problems = [];
    const complain = (element, problem) => {
      const layer = nameOf(element);
      if (!problems.some((p) => p.layer === layer && p.problem === problem)) problems.push({ layer, problem });
    };
    const unflatten = flatten(doc, root);
    try {
      restore(root);
      placeImages(imagesOf(root, complain), complain);
      const texts = textsOf(root, complain);
      fitTexts(texts, complain);
      const layers = texts.map(layerOf);
      return { layers: layers.filter((l, i) => l.clipped || texts[i].settings.mode !== 'none'), problems };
    } finally {
      seal();
      unflatten();
    }
  };

  globalThis.pictifydLayout = async (root, options = {}) => {
    const doc = isElement(root) ? documentOf(root) : root, fonts = fontsOf(doc);
    if (options.restore) {
      restore(root);
      return { layers: [], problems: [] };
    }
    const images = findAll(root, 'img[p-focus], img[p-crop]').filter((image) => !decoded(image));
    await Promise.all(images.map((image) => decode(image).catch(() => {})));
    // What is fitted with one font may need another: the dots, say.
    for (let tries = 3; ; tries--) {
      if (fonts.status === 'loading') await fonts.ready;
      const report = run(doc, root);
      if (fonts.status !== 'loading' || tries === 0) return report;
    }
  };
})();
