// The row script. It runs once in each tab, in a JavaScript world of its own
// that the page can't reach, and leaves pictifydPage there. What that returns for
// a document puts the documents of rows into it, one after another: draw waits
// until everything that one shows is there, and says how it went; seek moves its
// animations; boxes says where its elements are. Never a timer and never an animation frame: a page that nobody
// looks at may get neither.
globalThis.pictifydPage = (document) => {
  'use strict';

  // Elements named "body" or "fonts" shadow the document's own properties, in
  // every world. So those are read from the prototype.
  const getter = (proto, name) => {
    const get = Object.getOwnPropertyDescriptor(proto, name).get;
    return (object) => get.call(object);
  };
  const headOf = getter(Document.prototype, 'head');
  const bodyOf = getter(Document.prototype, 'body');
  const rootOf = getter(Document.prototype, 'documentElement');
  const fontsOf = getter(Document.prototype, 'fonts');
  const sheetsOf = getter(Document.prototype, 'styleSheets');
  const baseOf = getter(Node.prototype, 'baseURI');
  const localNameOf = getter(Element.prototype, 'localName');
  const window = getter(Document.prototype, 'defaultView')(document);
  const findAll = (doc, selector) => [...Document.prototype.querySelectorAll.call(doc, selector)];
  // Copies, not the nodes themselves: those may still owe events about files
  // that they tried to load where they were parsed.
  const copy = (node) => Document.prototype.importNode.call(document, node, true);
  const layout = () => rootOf(document).getBoundingClientRect();

  // absolute is the URL that text means in the page, or text where it is none.
  const absolute = (text, base = baseOf(document)) => (URL.canParse(text, base) ? new URL(text, base).href : text);

  let installedHead = '';

  // once resolves when the element has its file, or hasn't; it never rejects.
  const once = (element, onError) => new Promise((resolve) => {
    element.addEventListener('load', () => resolve(), { once: true });
    element.addEventListener('error', () => { resolve(); onError(); }, { once: true });
  });

  const disarm = (next) => {
    for (const meta of findAll(next, 'meta[http-equiv]')) {
      if (/^\s*refresh\s*$/i.test(meta.httpEquiv)) meta.remove();
    }
    for (const image of findAll(next, 'img[loading]')) image.removeAttribute('loading');
  };

  const syncAttributes = (to, from) => {
    for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
    for (const attribute of [...from.attributes]) to.setAttributeNode(attribute.cloneNode());
  };

  // install makes next the document of the page. What it returns resolves when
  // the style sheets are there.
  const install = (next, fail) => {
    const waits = [], body = copy(bodyOf(next));
    let head = headOf(next);
    const text = head.outerHTML;
    const changed = text !== installedHead;
    if (changed) head = copy(head);
    for (const root of changed ? [head, body] : [body]) {
      for (const link of root.querySelectorAll('link[rel~="stylesheet" i][href]')) {
        if (!link.disabled) waits.push(once(link, () => fail(link.href)));
      }
      for (const style of root.querySelectorAll('style')) {
        const imported = /@import\s+(?:url\(\s*)?["']?([^"')\s;]+)/i.exec(style.textContent);
        if (imported) waits.push(once(style, () => fail(absolute(imported[1]))));
      }
    }
    syncAttributes(rootOf(document), rootOf(next));
    if (changed) {
      installedHead = text;
      headOf(document).replaceWith(head);
    }
    bodyOf(document).replaceWith(body);
    return Promise.all(waits);
  };

  // A face that may be left out of the first picture would be in the second.
  const blockFonts = () => {
    for (const face of fontsOf(document)) if (face.display !== 'block') face.display = 'block';
  };

  // Fonts start loading when layout needs them, and with their glyphs the
  // layout may need others.
  const settleFonts = async (fail) => {
    layout();
    const fonts = fontsOf(document);
    while (fonts.status === 'loading') {
      await fonts.ready;
      layout();
    }
    for (const face of fonts) if (face.status === 'error') fail(sourceOf(face));
  };

  const sourceOf = (face) => {
    const plain = (family) => family.replace(/^["']|["']$/g, '');
    for (const sheet of sheetsOf(document)) {
      for (const rule of sheet.cssRules) {
        if (String(rule) !== '[object CSSFontFaceRule]') continue;
        if (plain(rule.style.getPropertyValue('font-family')) !== plain(face.family)) continue;
        const url = /url\("?([^")]+)/.exec(rule.style.getPropertyValue('src'));
        if (url) return absolute(url[1], sheet.href || undefined);
      }
    }
    return 'font ' + face.family;
  };

  const settleImage = async (image, fail, allowed) => {
    if (!image.complete) await once(image, () => {});
    const url = image.currentSrc || image.src;
    if (image.naturalWidth === 0 && image.naturalHeight === 0 || !allowed(url)) return fail(url);
    await image.decode().catch(() => fail(url));
  };

  const isURL = /url\("((?:[^"\\]|\\.)*)"\)/g;
  const imageProperties = [
    'background-image', 'border-image-source', 'list-style-image', 'mask-image', 'mask-border-source', 'content', 'shape-outside',
  ];

  // cssImages is every file that the computed styles of visible elements name.
  const cssImages = () => {
    const urls = new Set();
    for (const element of findAll(document, '*')) {
      if (element.getClientRects().length === 0) continue;
      for (const pseudo of [null, '::before', '::after', '::marker', '::first-letter', '::first-line']) {
        const style = window.getComputedStyle(element, pseudo);
        for (const property of imageProperties) {
          const value = style.getPropertyValue(property);
          if (!value.includes('url(')) continue;
          for (const match of value.matchAll(isURL)) urls.add(match[1].replace(/\\(.)/g, '$1'));
        }
      }
    }
    return urls;
  };

  // mayShowFiles reports whether styles of a document may name pictures. Those of
  // fonts do not count: nearly every document has one, and asking all elements for
  // their styles is a tenth of a row's time.
  const mayShowFiles = (html) => /url\(|image-set\(|@import/i.test(html.replace(/@font-face\s*\{[^}]*\}/gi, '')) ||
    findAll(document, 'link[rel~="stylesheet" i]').length > 0;

  // otherImages is every file of elements that don't tell how loading it went.
  const otherImages = () => {
    const urls = new Set();
    const add = (text) => {
      if (text && !text.startsWith('#')) urls.add(absolute(text));
    };
    for (const element of findAll(document, 'image, feImage')) add((element.href && element.href.baseVal) || '');
    for (const element of findAll(document, 'video[poster]')) add(element.getAttribute('poster'));
    for (const element of findAll(document, 'input[type="image" i]')) add(element.getAttribute('src'));
    return urls;
  };

  // settleURL loads the file once more, which the document then has already, to
  // learn whether it can be shown.
  const settleURL = async (url, fail, allowed) => {
    if (!allowed(url)) return fail(url);
    const image = new window.Image();
    image.src = url;
    await image.decode().catch(() => fail(url));
  };

  // still ends what moves: what ends is at its end, what doesn't is at its start.
  const still = () => {
    for (const animation of Document.prototype.getAnimations.call(document)) {
      try {
        animation.finish();
      } catch {
        animation.pause();
        animation.currentTime = 0;
      }
    }
    for (const svg of findAll(document, 'svg')) {
      svg.pauseAnimations();
      svg.setCurrentTime(0);
    }
  };

  // fit lets the layout script fit texts and images, if the page asks for it and
  // has the script. An element of that name would show as the script.
  const fit = async (fail, moves) => {
    if (!Object.hasOwn(globalThis, 'pictifydLayout') || findAll(document, '[p-fit], [p-focus], [p-crop]').length === 0) return null;
    const report = await globalThis.pictifydLayout(document);
    await settleFonts(fail);
    if (!moves) still();
    return report;
  };

  // film stops what moves at its start and is how long one round of it lasts, in
  // milliseconds: what ends has ended then, what doesn't is where it began.
  const film = () => {
    moving = Document.prototype.getAnimations.call(document);
    let longest = 0;
    for (const animation of moving) {
      const { delay, duration, iterations, direction, endTime } = animation.effect.getComputedTiming();
      const back = String(direction).startsWith('alternate') ? 2 : 1;
      longest = Math.max(longest, iterations === Infinity ? delay + back * duration : endTime);
    }
    seek(0);
    return longest;
  };

  // seek shows the page as it is after so many milliseconds. What film found is
  // kept, for what has ended is not listed any more.
  let moving = [];
  const seek = (ms) => {
    for (const animation of moving) {
      animation.pause();
      animation.currentTime = ms;
    }
    for (const svg of findAll(document, 'svg')) {
      svg.pauseAnimations();
      svg.setCurrentTime(ms / 1000);
    }
    layout();
  };

  const draw = async (html, paths, moves) => {
    const failed = new Set();
    const fail = (url) => { failed.add(String(url).slice(0, 500)); };
    const known = new Set(paths.map((path) => new URL(path, location.origin).pathname));
    const allowed = (url) => {
      if (!URL.canParse(url)) return false;
      const u = new URL(url);
      return u.protocol === 'data:' || u.origin === location.origin && known.has(u.pathname);
    };
    const next = new DOMParser().parseFromString(html, 'text/html');
    disarm(next);
    await install(next, fail);
    blockFonts();
    window.scrollTo(0, 0);
    layout();
    const images = findAll(document, 'img').filter((image) => image.currentSrc || image.getAttribute('src')?.trim());
    const waits = images.map((image) => settleImage(image, fail, allowed));
    const urls = mayShowFiles(html) ? cssImages() : new Set();
    for (const url of otherImages()) urls.add(url);
    for (const url of urls) waits.push(settleURL(url, fail, allowed));
    await Promise.all(waits);
    await settleFonts(fail);
    if (!moves) still();
    const report = await fit(fail, moves);
    const glyphs = failed.size === 0 ? globalThis.pictifydGlyphs(document) : [];
    const round = moves ? film() : 0;
    const root = rootOf(document);
    return {
      failed: [...failed], report, glyphs, round, width: window.innerWidth, height: window.innerHeight,
      scrollWidth: root.scrollWidth, scrollHeight: root.scrollHeight,
    };
  };

  // boxes is where the elements of the body are, each as its id, its name, the
  // rectangle around it and how it shows its own text.
  const boxes = (most) => {
    const all = Element.prototype.querySelectorAll.call(bodyOf(document), '*');
    const textOf = globalThis.pictifydTexts(document);
    return [...all].slice(0, most).map((element) => {
      const { x, y, width, height } = Element.prototype.getBoundingClientRect.call(element);
      const id = Element.prototype.getAttribute.call(element, 'id') || '';
      return { id: id.slice(0, 200), tag: localNameOf(element), x, y, width, height, text: textOf(element) };
    });
  };

  return { draw, seek, boxes };
};
