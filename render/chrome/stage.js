// The stage: several rows of one page are drawn at a time, each in a frame of
// its own inside a canvas, and encoded here. It runs in the stage's tab, in a
// world of its own that neither the tab nor the frames can reach, after the row
// script. It leaves there
//
//   pictifydStage({ slots, width, height, scale, transparent }) -> Promise<boolean>
//   pictifydPlay({ out, rows: [{ html, paths, pictures: [{ id, format, quality, compression, maxBytes }] }] }) -> Promise
//
// The bytes of a picture are sent to out/id as soon as they are there, behind a
// head: its length in four bytes (big endian), and { row, picture, ms } or
// { error } in JSON. Rows that are late hold up no others.
(() => {
  'use strict';

  const now = () => performance.now();
  const slots = [];
  let encoder = null; // null where this Chrome compiles no WebAssembly: its own PNGs serve then
  let size = null;

  globalThis.pictifydStage = async (options) => {
    size = options;
    if (typeof CanvasRenderingContext2D.prototype.drawElementImage !== 'function') return false;
    encoder = await loadEncoder();
    const style = `border:0;padding:0;margin:0;display:block;width:${size.width}px;height:${size.height}px;`;
    const frames = [];
    for (let i = 0; i < size.slots; i++) {
      const canvas = document.createElement('canvas');
      canvas.setAttribute('layoutsubtree', '');
      canvas.width = Math.round(size.width * size.scale);
      canvas.height = Math.round(size.height * size.scale);
      canvas.style.cssText = style + 'position:absolute;left:0;top:0';
      const frame = document.createElement('iframe');
      frame.style.cssText = style;
      frame.src = '/.pictifyd.frame';
      canvas.append(frame);
      frames.push(new Promise((resolve, reject) => { frame.onload = resolve; frame.onerror = reject; }));
      document.body.append(canvas);
      const context = canvas.getContext('2d', { alpha: size.transparent, willReadFrequently: true });
      slots.push({ canvas, frame, context, page: null });
    }
    await Promise.all(frames);
    for (const slot of slots) slot.page = globalThis.pictifydPage(slot.frame.contentDocument);
    return true;
  };

  globalThis.pictifydPlay = async ({ out, rows }) => {
    const sent = rows.map((row, i) => play(slots[i], row, out));
    await Promise.all(sent);
  };

  // play is one row from document to pictures sent.
  const play = async (slot, row, out) => {
    try {
      const began = now();
      const report = await slot.page.draw(row.html, row.paths);
      const prepared = now();
      if (report.failed.length > 0) {
        await Promise.all(row.pictures.map(({ id }) => send(out, id, { row: report })));
        return;
      }
      await paint(slot);
      const painted = now();
      const posts = [];
      for (const picture of row.pictures) {
        const { bytes, wait, spent, short } = await encode(slot, picture);
        const ms = { prepare: prepared - began, paint: painted - prepared, wait, encode: spent };
        posts.push(send(out, picture.id, short ? { short, ms } : { row: report, ms }, short ? null : bytes));
      }
      await Promise.all(posts);
    } catch (fault) {
      const error = String(fault && fault.stack || fault).slice(0, 2000);
      await Promise.all(row.pictures.map(({ id }) => send(out, id, { error })));
    }
  };

  // paint draws the frame as it is onto its canvas.
  const paint = (slot) => new Promise((resolve, reject) => {
    const { canvas, frame, context } = slot;
    canvas.onpaint = () => {
      canvas.onpaint = null;
      try {
        if (size.transparent) {
          context.clearRect(0, 0, canvas.width, canvas.height);
        } else {
          context.fillStyle = '#fff';
          context.fillRect(0, 0, canvas.width, canvas.height);
        }
        context.drawElementImage(frame, 0, 0);
        resolve();
      } catch (fault) {
        reject(fault);
      }
    };
    canvas.requestPaint();
  });

  const send = async (out, id, head, bytes) => {
    const text = new TextEncoder().encode(JSON.stringify(head));
    const body = new Uint8Array(4 + text.length + (bytes ? bytes.length : 0));
    new DataView(body.buffer).setUint32(0, text.length);
    body.set(text, 4);
    if (bytes) body.set(bytes, 4 + text.length);
    const answer = await fetch(out + id, { method: 'POST', body });
    if (!answer.ok) throw new Error('the picture was not taken: ' + answer.status);
  };

  // encode is a picture in its format. PNGs go one after the other, for they share
  // the encoder's memory; Chrome's own encodings wait for each other less where
  // they are asked for together.
  let turn = Promise.resolve();
  const encode = (slot, picture) => {
    const queued = now();
    const work = async () => {
      const began = now();
      const { bytes, short } = await within(slot, picture);
      return { bytes, short, wait: began - queued, spent: now() - began };
    };
    if (picture.format !== 'png') return work();
    const result = turn.then(work);
    turn = result.then(() => {}, () => {});
    return result;
  };

  // within is the best encoding that fits into picture.maxBytes; short says how
  // many bytes the smallest had where none does.
  const within = async (slot, picture) => {
    let best = null, least = Infinity;
    for (const attempt of attempts(picture)) {
      const bytes = await encoded(slot, { ...picture, ...attempt });
      least = Math.min(least, bytes.length);
      if (!picture.maxBytes || bytes.length <= picture.maxBytes) { best = bytes; break; }
    }
    return best ? { bytes: best } : { short: least };
  };

  // attempts are the ways to write a picture, the best one first.
  const attempts = ({ format, quality, compression, maxBytes }) => {
    if (!maxBytes) return [{}];
    if (format === 'png') {
      const ways = encoder ? [{}, { compression: 'small' }, ...[256, 128, 64, 32, 16].map((colors) => ({ compression: 'palette', colors }))] : [{}];
      return compression === 'palette' ? ways.filter((way, i) => i !== 1) : ways;
    }
    const ways = [{}];
    for (const q of [85, 75, 65, 55, 45, 35, 25, 15, 10]) if (q < quality) ways.push({ quality: q });
    return ways;
  };

  const encoded = async (slot, picture) => {
    const own = picture.format === 'png' && encoder && await png(slot, picture);
    if (own) return own;
    // A WebP of quality 1 would be another kind of file, a lossless one.
    const quality = Math.min(picture.quality / 100, 0.999);
    // A data URL, and not a blob: it is made at once, and its bytes stay in this process.
    const head = `data:image/${picture.format};base64,`;
    const url = slot.canvas.toDataURL('image/' + picture.format, quality);
    if (!url.startsWith(head)) throw new Error('the picture could not be encoded');
    return Uint8Array.fromBase64(url.slice(head.length));
  };

  const loadEncoder = async () => {
    try {
      const module = await fetch('/.pictifyd.encoder.wasm');
      return await globalThis.pictifydPNG.create(await module.arrayBuffer());
    } catch {
      return null;
    }
  };

  // png is the picture by our own encoder, null where that can't read it. A
  // frame's pixels go straight to the encoder's memory, but have their alpha
  // multiplied in: so they serve only where there is none.
  const png = async ({ canvas, context }, { compression, colors }) => {
    const options = { mode: compression || 'fast', colours: colors || 256, density: size.scale === 1 ? 0 : Math.round(size.scale * 96 / 0.0254) };
    if (size.transparent) {
      encoder.view(canvas.width, canvas.height).set(context.getImageData(0, 0, canvas.width, canvas.height).data);
      return encoder.encode(options);
    }
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    try {
      return await encoder.encodeFrame(frame, options);
    } finally {
      frame.close();
    }
  };
})();
