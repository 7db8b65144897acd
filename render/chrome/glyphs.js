// The glyph script: finds the characters of a page that no font has, where a box
// stands in the picture instead.
//
//   pictifydGlyphs(root) -> [{ layer, characters: ['…'] }]
//
// root is a document or an element of one, whose fonts are there. An entry of
// characters is one character, or one with its marks where fonts have each of
// them but none has all. Told are the first few of a layer, in a hundred layers.
// It changes nothing in the page, and of the same page it says the same each time.
//
// How it knows: Chrome looks for a character in the fonts of the style, then in
// those of the machine, and draws the missing one of the first font that it
// asked. So texts are measured with a font before all others that has nothing but
// a missing character as high as a house.
//
// What it can't see: text within pictures; characters up to U+00FF, which are
// taken as there; what counters, quotes, counter styles, the margins of printed
// pages and the style of ::first-letter and ::first-line bring; a box or a blank
// that a font has as the glyph of a character.
(() => {
  'use strict';

  // Names of elements shadow properties of documents: so everything is read from
  // the prototypes.
  const call = Function.prototype.call;
  const getter = (proto, name) => call.bind(Object.getOwnPropertyDescriptor(proto, name).get);
  const method = (proto, name) => call.bind(proto[name]);
  const typeOf = getter(Node.prototype, 'nodeType');
  const documentOf = getter(Node.prototype, 'ownerDocument');
  const parentOf = getter(Node.prototype, 'parentElement');
  const textOf = getter(Node.prototype, 'textContent');
  const viewOf = getter(Document.prototype, 'defaultView');
  const bodyOf = getter(Document.prototype, 'body');
  const fontsOf = getter(Document.prototype, 'fonts');
  const sheetsOf = getter(Document.prototype, 'styleSheets');
  const createElement = method(Document.prototype, 'createElement');
  const createRange = method(Document.prototype, 'createRange');
  const createWalker = method(Document.prototype, 'createTreeWalker');
  const tagOf = getter(Element.prototype, 'localName');
  const attribute = method(Element.prototype, 'getAttribute');
  const closest = method(Element.prototype, 'closest');
  const matches = method(Element.prototype, 'matches');
  const visible = method(Element.prototype, 'checkVisibility');
  const dataOf = getter(CharacterData.prototype, 'data');

  const isElement = (node) => typeOf(node) === 1;
  const findAll = (root, selector) => {
    const all = (isElement(root) ? Element : Document).prototype.querySelectorAll.call(root, selector);
    return isElement(root) && matches(root, selector) ? [root, ...all] : [...all];
  };

  // ---- The font that has nothing.

  // makeFont is an OpenType font of one glyph, the missing character: a sliver
  // that is two thousand times as high as the type size. One code point is
  // mapped, to that glyph, because Chrome refuses a font that maps none.
  const makeFont = () => {
    const u16 = (...numbers) => numbers.flatMap((n) => [n >> 8 & 255, n & 255]);
    const u32 = (...numbers) => numbers.flatMap((n) => [...u16(n >>> 16), ...u16(n)]);
    const ascii = (text) => [...text].map((c) => c.charCodeAt(0));
    const zeros = (count) => Array(count).fill(0);
    const em = 16, width = 2, height = 32000, last = 0x10ffff;
    const glyph = [...u16(1, 0, 0, width, height), ...u16(2, 0), 1, 1, 1, ...u16(0, width, -width), ...u16(0, 0, height), 0];
    const tables = {
      'OS/2': [
        ...u16(4, em, 400, 5, 0), ...zeros(22), ...zeros(10), ...zeros(16), ...ascii('none'),
        ...u16(0x40, 0xffff, 0xffff, em, 0, 0, em, 0), ...zeros(8), ...u16(0, 0, 0, 0xffff, 0),
      ],
      cmap: [...u16(0, 1, 3, 10), ...u32(12), ...u16(12, 0), ...u32(28, 0, 1, last, last, 0)],
      glyf: glyph,
      head: [...u32(0x10000, 0x10000, 0, 0x5f0f3cf5), ...u16(3, em), ...zeros(16), ...u16(0, 0, width, height, 0, 8, 2, 1, 0)],
      hhea: [...u32(0x10000), ...u16(em, 0, 0, em, 0, 0, width, 1), ...zeros(14), ...u16(1)],
      hmtx: u16(em, 0),
      loca: u32(0, glyph.length),
      maxp: [...u32(0x10000), ...u16(1, 3, 1, 0, 0, 2), ...zeros(16)],
      name: u16(0, 0, 6),
      post: [...u32(0x30000), ...zeros(28)],
    };
    const names = Object.keys(tables), directory = [...u32(0x10000), ...u16(names.length, 128, 3, 16 * names.length - 128)], body = [];
    for (const name of names) {
      const padded = [...tables[name], ...zeros(-tables[name].length & 3)];
      let sum = 0;
      for (let i = 0; i < padded.length; i += 4) sum += padded[i] << 24 | padded[i + 1] << 16 | padded[i + 2] << 8 | padded[i + 3];
      directory.push(...ascii(name), ...u32(sum, 12 + 16 * names.length + body.length, tables[name].length));
      body.push(...padded);
    }
    return new Uint8Array([...directory, ...body]).buffer;
  };

  // No page can name this family, as no page knows it.
  const nothing = 'nothing-' + crypto.getRandomValues(new Uint32Array(4)).join('-');
  const size = 10, high = 1000 * size;

  // ---- Characters. Kept are answers, so that the second row with a character
  // hears what the first one heard.

  const odd = /[^\t\n\f\r\x20-\xff]/, odds = new RegExp(odd.source, 'gu');
  // What may hang together with its neighbours, so that one font must have both.
  const joining = /[\p{M}\p{Cf}\p{Emoji_Modifier}\p{Regional_Indicator}\u0d4e\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]/u;
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  const capacity = 50_000, mostFonts = 100, mostLayers = 100, mostCharacters = 9;

  // penOf is a function that reports whether a character of text is in no font.
  const penOf = (doc) => {
    fontsOf(doc).add(new (viewOf(doc).FontFace)(nothing, makeFont(), { display: 'block' }));
    const pen = createElement(doc, 'canvas').getContext('2d');
    let inHand = '';
    return (font, text) => {
      if (inHand !== font) pen.font = inHand = font;
      return pen.measureText(text).actualBoundingBoxAscent > high;
    };
  };

  const pens = new WeakMap([[document, penOf(document)]]);
  const machine = new Map();

  // isCommon reports whether a font of the machine has a character in each case,
  // so that no style of no page lacks it.
  const isCommon = (c) => {
    let is = machine.get(c);
    if (is === undefined) {
      is = !pens.get(document)(`${size}px ${nothing}`, c + c.toUpperCase() + c.toLowerCase());
      if (machine.size >= capacity) machine.clear();
      machine.set(c, is);
    }
    return is;
  };

  const isPlain = (text) => !odd.test(text) || !joining.test(text) && text.match(odds).every(isCommon);

  // searcherOf is what looks for characters in the fonts of a document's styles.
  const searcherOf = (doc) => {
    if (!pens.has(doc)) pens.set(doc, penOf(doc));
    const lacks = pens.get(doc), answers = new Map();
    let faces = [];

    // refresh forgets everything when the page has other fonts than before.
    const refresh = () => {
      const now = [...fontsOf(doc)];
      if (now.length === faces.length && now.every((face, i) => face === faces[i].face && face.status === faces[i].status)) return;
      faces = now.map((face) => ({ face, status: face.status }));
      answers.clear();
    };

    const answersOf = (font) => {
      let known = answers.get(font);
      if (known && known.size < capacity) return known;
      if (answers.size >= mostFonts) answers.clear();
      answers.set(font, known = new Map());
      return known;
    };

    // missing is the characters of text that no font has.
    const missing = (font, text) => {
      if (!lacks(font, text)) return [];
      const known = answersOf(font), found = new Set();
      for (const { segment } of graphemes.segment(text)) {
        if (!odd.test(segment)) continue;
        if (!known.has(segment)) known.set(segment, missingOfCluster(font, segment));
        for (const c of known.get(segment)) found.add(c);
        if (found.size >= mostCharacters) break;
      }
      return found.size > 0 ? [...found] : [least(font, [...text]).join('')];
    };

    const missingOfCluster = (font, cluster) => {
      if (!lacks(font, cluster)) return [];
      const alone = [...cluster].filter((c) => odd.test(c) && lacks(font, c));
      return alone.length > 0 ? alone : [cluster];
    };

    // least is the shortest part of a text that lacks a character, where more
    // hangs together than what readers take for one.
    const least = (font, characters) => {
      const shortest = (part) => {
        let low = 0, high = characters.length;
        while (low + 1 < high) {
          const middle = low + high >> 1;
          if (lacks(font, part(middle).join(''))) high = middle;
          else low = middle;
        }
        return part(high);
      };
      characters = shortest((n) => characters.slice(0, n));
      return shortest((n) => characters.slice(-n));
    };

    return { refresh, missing };
  };

  const searchers = new WeakMap();

  // ---- What a page shows.

  const styleOf = (element, pseudo) => viewOf(documentOf(element)).getComputedStyle(element, pseudo);

  // isShown reports whether an element shows what is in it.
  const isShown = (element) => {
    while (parentOf(element) && styleOf(element).display === 'contents') element = parentOf(element);
    return visible(element, { visibilityProperty: true, opacityProperty: true });
  };

  // hasBox lays out what it is asked of, also what is not shown.
  const hasBox = (doc, node) => {
    const range = createRange(doc);
    range.selectNodeContents(node);
    return [...range.getClientRects()].some((r) => r.width > 0 || r.height > 0);
  };

  const transforms = {
    uppercase: (text) => text.toUpperCase(),
    lowercase: (text) => text.toLowerCase(),
    capitalize: (text) => text.replace(/(?<![\p{L}\p{M}\p{N}])\p{L}/gu, (c) => c.toUpperCase()),
  };

  // Below, each text that is not plain goes to find(element, style, text, shown).

  const textNodes = (doc, root, find) => {
    if (!odd.test(textOf(root))) return;
    for (const walker = createWalker(doc, root, NodeFilter.SHOW_TEXT); walker.nextNode();) {
      const node = walker.currentNode, text = dataOf(node), element = parentOf(node);
      if (element && !isPlain(text)) find(element, styleOf(element), text, () => isShown(element) && hasBox(doc, node));
    }
  };

  const written = ['text', 'search', 'url', 'tel', 'email', 'submit', 'reset', 'button', 'textarea'];

  const fields = (root, find) => {
    for (const field of findAll(root, 'input, textarea, select')) {
      const option = tagOf(field) === 'select' && field.options[field.selectedIndex];
      const text = option ? option.text : written.includes(field.type) ? field.value || field.placeholder : '';
      if (text && !isPlain(text)) find(field, styleOf(field), text, () => isShown(field));
    }
  };

  const quoted = /"((?:[^"\\]|\\.)*)"/g, escaped = /\\(?:([0-9a-f]{1,6})\s?|(.))/gi;
  const characterOf = (match, hex, c) => c || String.fromCodePoint(parseInt(hex, 16));
  const stringsIn = (value) => [...value.matchAll(quoted)].map((m) => m[1].replace(escaped, characterOf)).join('');

  const pseudoElement = /(^|[\s>+~,])?::?(?:before|after|marker)\b/g;
  const elementsOf = (selector) => selector.replace(pseudoElement, (match, lead) => (lead === undefined ? '' : lead + '*'));
  const notable = /(?<![-\w])content\s*:|list-style|@import/i;
  const isNotable = (value) => /attr\(|var\(/.test(value) || !isPlain(stringsIn(value));
  const sheetNotes = new WeakMap();

  // notesOf is which elements a style sheet may give text that is not plain:
  // selectors of those before, after and as markers of which it puts some.
  const notesOf = (view, sheet) => {
    let notes = sheetNotes.get(sheet);
    if (notes) return notes;
    sheetNotes.set(sheet, notes = []);
    if (tagOf(sheet.ownerNode) === 'style' && !notable.test(textOf(sheet.ownerNode))) return notes;
    const read = (rules, nested) => {
      for (const rule of rules) {
        const selects = rule instanceof view.CSSStyleRule, inner = nested || selects || rule instanceof view.CSSScopeRule;
        if (selects || nested && rule.style) {
          if (isNotable(rule.style.getPropertyValue('list-style-type'))) notes.push('*');
          if (isNotable(rule.style.getPropertyValue('content'))) notes.push(nested ? '*' : elementsOf(rule.selectorText));
        }
        const more = rule instanceof view.CSSImportRule ? rule.styleSheet && rule.styleSheet.cssRules : rule.cssRules;
        if (more) read(more, inner);
      }
    };
    read(sheet.cssRules, false);
    return notes;
  };

  const generated = (doc, root, find) => {
    const elements = new Set(), notes = [...sheetsOf(doc)].flatMap((sheet) => notesOf(viewOf(doc), sheet));
    for (const selector of new Set(notes)) {
      let found;
      try {
        found = findAll(root, selector);
      } catch { // it speaks of namespaces that the sheet has names for
        found = findAll(root, '*');
      }
      for (const element of found) elements.add(element);
    }
    for (const element of elements) {
      for (const pseudo of ['::before', '::after', '::marker']) {
        const style = styleOf(element, pseudo), marks = pseudo === '::marker';
        const text = stringsIn(marks && style.content === 'normal' ? style.listStyleType : style.content);
        if (isPlain(text)) continue;
        const there = () => (marks ? styleOf(element).display === 'list-item' : style.display !== 'none');
        find(element, style, text, () => there() && style.visibility === 'visible' && isShown(element));
      }
    }
  };

  const stretches = [
    [50, 'ultra-condensed'], [62.5, 'extra-condensed'], [75, 'condensed'], [87.5, 'semi-condensed'], [100, 'normal'],
    [112.5, 'semi-expanded'], [125, 'expanded'], [150, 'extra-expanded'], [200, 'ultra-expanded'],
  ];

  // stretchOf is the word for a style's width, or the nearest: a canvas knows no
  // others.
  const stretchOf = (style) => {
    const percent = parseFloat(style.fontStretch), away = ([width]) => Math.abs(width - percent);
    return stretches.reduce((best, one) => (away(one) < away(best) ? one : best))[1];
  };

  // layerOf is the id of the layer that an element belongs to, as the layout
  // script names it, or what it is where it belongs to none.
  const layerOf = (element) => {
    const layer = closest(element, '[id]:not([id=""]), [p-name]:not([p-name=""])');
    return layer ? attribute(layer, 'id') || attribute(layer, 'p-name') : tagOf(element);
  };

  const run = (doc, root) => {
    const layers = new Map(), searcher = searchers.get(doc);
    const find = (element, style, text, shown) => {
      const layer = layerOf(element), all = layers.get(layer) || new Set();
      if (all.size >= mostCharacters || all.size === 0 && layers.size >= mostLayers) return;
      // What is not shown did not ask for its fonts, and must not do so now.
      if (!shown()) return;
      for (const word of style.textTransform.split(' ')) if (transforms[word]) text = transforms[word](text);
      const font = `${style.fontStyle} ${style.fontWeight} ${stretchOf(style)} ${size}px ${nothing}, ${style.fontFamily}`;
      for (const c of searcher.missing(font, text)) all.add(c);
      if (all.size > 0) layers.set(layer, all);
    };
    searcher.refresh();
    textNodes(doc, isElement(root) ? root : bodyOf(doc), find);
    fields(root, find);
    generated(doc, root, find);
    return [...layers].map(([layer, all]) => ({ layer, characters: [...all] }));
  };

  globalThis.pictifydGlyphs = (root) => {
    const doc = isElement(root) ? documentOf(root) : root;
    if (!searchers.has(doc)) searchers.set(doc, searcherOf(doc));
    return run(doc, root);
  };
})();
