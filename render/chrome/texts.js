// The text script: says how elements show the texts that stand right in them.
//
//   pictifydTexts(document) -> (element) -> undefined, or
//     { layer, path, fontPx, weight, opacity, decorative, outlined, clipped, shadowed, over, cut, lines: [{ x, y, width, height }] }
//
// undefined is an element without a visible text of its own. It reads the page and
// changes nothing in it. What one function found of ancestors it keeps: it is for
// one look at a page that stands still.
//
// fontPx is the font size as it is seen, with zoom and transforms. lines are the
// rectangles around the pieces of text, as high as the font. over is by how much
// the lines leave the element's own box, and cut by how much they leave what clips
// them, both as they are seen; a text that is turned has neither.
//
// What it can't see: what ::marker and ::first-letter bring; the places of what
// ::before and ::after bring: an element with nothing else has its whole box as
// its line.
(() => {
  'use strict';

  // Names of elements shadow properties of forms and documents: so everything is
  // read from the prototypes.
  const call = Function.prototype.call;
  const getter = (proto, name) => call.bind(Object.getOwnPropertyDescriptor(proto, name).get);
  const method = (proto, name) => call.bind(proto[name]);
  const typeOf = getter(Node.prototype, 'nodeType');
  const parentOf = getter(Node.prototype, 'parentElement');
  const childrenOf = getter(Node.prototype, 'childNodes');
  const viewOf = getter(Document.prototype, 'defaultView');
  const bodyOf = getter(Document.prototype, 'body');
  const createRange = method(Document.prototype, 'createRange');
  const attribute = method(Element.prototype, 'getAttribute');
  const closest = method(Element.prototype, 'closest');
  const tagOf = getter(Element.prototype, 'localName');
  const elementsOf = getter(Element.prototype, 'children');
  const rectOf = method(Element.prototype, 'getBoundingClientRect');
  const visible = method(Element.prototype, 'checkVisibility');
  const dataOf = getter(CharacterData.prototype, 'data');
  const screenOf = method(SVGGraphicsElement.prototype, 'getScreenCTM');
  const zoomGetter = Object.getOwnPropertyDescriptor(Element.prototype, 'currentCSSZoom');
  const zoomOf = zoomGetter ? call.bind(zoomGetter.get) : () => 1;

  const silent = new Set(['style', 'script', 'title', 'desc', 'noscript', 'template', 'option']);
  const keys = /[\d#*]\ufe0f?\u20e3/gu, word = /[\p{L}\p{N}]/u, mostLines = 200, mostData = 20_000, longestPath = 2000;
  const number = (text) => parseFloat(text) || 0;
  const round = (x) => Math.round(x * 100) / 100;

  // nameOf is what an element is called: its id or name, or where it is. The layout
  // script calls it the same.
  const nameOf = (element) => {
    const name = attribute(element, 'id') || attribute(element, 'p-name');
    if (name) return name;
    const layer = parentOf(element) && closest(parentOf(element), '[id]');
    return (layer ? attribute(layer, 'id') + ' > ' : '') + tagOf(element);
  };

  globalThis.pictifydTexts = (document) => {
    const view = viewOf(document), body = bodyOf(document), range = createRange(document);
    const seen = new Map(), places = new WeakMap();
    let room = 20_000; // lines of all elements together

    // placeOf is the number of an element among its parent's, from 1.
    const placeOf = (element) => {
      const parent = parentOf(element);
      if (parent && !places.has(element)) {
        let i = 0;
        for (const child of elementsOf(parent)) places.set(child, ++i);
      }
      return places.get(element);
    };

    // matrixOf is what the element's own transforms do to directions.
    const matrixOf = (style) => {
      let m = new DOMMatrix();
      const turn = /^(-?[\d.]+)deg$/.exec(style.rotate), scale = style.scale === 'none' ? [] : style.scale.split(' ').map(Number);
      if (turn) m = m.rotate(Number(turn[1]));
      if (scale.length > 0) m = m.scale(scale[0], scale[1] ?? scale[0]);
      return style.transform && style.transform !== 'none' ? m.multiply(new DOMMatrix(style.transform)) : m;
    };

    // around is what an element inherits from those that it stands in, and itself
    // hands on.
    const around = (element) => {
      let known = seen.get(element);
      if (known) return known;
      const outer = element === body ? null : around(parentOf(element)), style = view.getComputedStyle(element);
      const own = matrixOf(style), m = outer ? outer.matrix.multiply(own) : own;
      known = {
        style, matrix: m, path: outer ? `${outer.path}>:nth-child(${placeOf(element)})` : 'body',
        opacity: (outer ? outer.opacity : 1) * (style.opacity === '' ? 1 : Number(style.opacity)),
        decorative: Boolean(outer && outer.decorative) || attribute(element, 'aria-hidden') === 'true',
        clip: outer ? outer.clip : null,
      };
      // The page clips, too; but what leaves that is off the page.
      if (outer && element !== body && !String(attribute(element, 'class')).split(/\s+/).includes('p-page')) {
        const clips = { x: style.overflowX !== 'visible', y: style.overflowY !== 'visible' };
        if (clips.x || clips.y) known.clip = narrowed(outer.clip, inside(element, known, false), clips);
      }
      seen.set(element, known);
      return known;
    };

    // upright reports whether lines run along the edges of the page, and boxes
    // are where they seem to be.
    const upright = ({ matrix }) => Math.abs(matrix.b) < 1e-3 && Math.abs(matrix.c) < 1e-3;

    // inside is an element's box without its border, and without its padding.
    const inside = (element, { style, matrix }, padded) => {
      const r = rectOf(element), sx = Math.abs(matrix.a) * zoomOf(element), sy = Math.abs(matrix.d) * zoomOf(element);
      const inset = (side) => number(style[`border${side}Width`]) + (padded ? number(style[`padding${side}`]) : 0);
      return { x0: r.left + inset('Left') * sx, x1: r.right - inset('Right') * sx, y0: r.top + inset('Top') * sy, y1: r.bottom - inset('Bottom') * sy };
    };

    const narrowed = (clip, box, { x, y }) => {
      const all = clip || { x0: -Infinity, x1: Infinity, y0: -Infinity, y1: Infinity };
      return {
        x0: x ? Math.max(all.x0, box.x0) : all.x0, x1: x ? Math.min(all.x1, box.x1) : all.x1,
        y0: y ? Math.max(all.y0, box.y0) : all.y0, y1: y ? Math.min(all.y1, box.y1) : all.y1,
      };
    };

    const beyond = (lines, box) => lines.reduce((most, l) => Math.max(most, box.x0 - l.x0, l.x1 - box.x1, box.y0 - l.y0, l.y1 - box.y1), 0);

    // scaleOf is by how much letters are higher in the picture than their style says.
    const scaleOf = (element, { matrix }) => {
      if (element instanceof SVGElement) {
        const m = element instanceof SVGGraphicsElement && screenOf(element);
        if (m) return Math.hypot(m.c, m.d);
      }
      return Math.hypot(matrix.c, matrix.d) * zoomOf(element);
    };

    // generated is what stands before and behind an element's own text.
    const generated = (element) => ['::before', '::after'].map((pseudo) => {
      const content = view.getComputedStyle(element, pseudo).content;
      return content === 'none' || content === 'normal' ? '' : (content.match(/"(?:[^"\\]|\\.)*"/g) || []).join('').slice(0, 1000);
    }).join('');

    return (element) => {
      if (silent.has(tagOf(element)) || !visible(element, { visibilityProperty: true })) return undefined;
      const nodes = [...childrenOf(element)].filter((n) => typeOf(n) === 3 && dataOf(n).trim());
      const own = nodes.map(dataOf).join('').slice(0, mostData), made = generated(element);
      if (!own && !word.test(made)) return undefined;
      const known = around(element), { style, clip } = known, scale = scaleOf(element, known);
      if (clip && (clip.x1 - clip.x0 < 2 || clip.y1 - clip.y0 < 2)) return undefined; // kept for screen readers
      const rects = [];
      for (const node of nodes) {
        range.selectNodeContents(node);
        for (const r of range.getClientRects()) if (r.width > 0 && r.height > 0 && rects.length < mostLines && room-- > 0) rects.push(r);
      }
      if (rects.length === 0 && made) rects.push(rectOf(element));
      if (rects.length === 0) return undefined;
      const size = number(style.fontSize) * scale;
      // Letters may be higher than the line that they are set in; what counts is the line.
      const leading = own ? number(style.lineHeight) * scale : 0;
      const lines = rects.map((r) => {
        const more = leading ? (leading - r.height) / 2 : 0;
        return { x0: r.left, x1: r.right, y0: r.top - more, y1: r.bottom + more };
      });
      const inline = style.display === 'inline' || style.display === 'contents' || element instanceof SVGElement;
      const flat = own && upright(known) && style.writingMode.startsWith('horizontal');
      return {
        layer: nameOf(element).slice(0, 200), path: known.path.length > longestPath ? '' : known.path, fontPx: round(size), weight: Math.round(number(style.fontWeight)), opacity: round(known.opacity),
        decorative: known.decorative || !word.test((own + made).replace(keys, '')),
        outlined: number(style.webkitTextStrokeWidth) > 0, clipped: style.backgroundClip.includes('text'), shadowed: style.textShadow !== 'none',
        over: flat && !inline ? round(beyond(lines, inside(element, known, false))) : 0,
        cut: flat && clip ? round(beyond(lines, clip)) : 0,
        lines: rects.map((r) => ({ x: round(r.left), y: round(r.top), width: round(r.width), height: round(r.height) })),
      };
    };
  };
})();
