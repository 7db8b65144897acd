// The sheets: pages that are printed together, each in a frame of its own. It
// runs in a tab of the stage's document, in a world of its own that neither the
// tab nor the frames can reach, after the row script. It leaves there
//
//   pictifydPrint({ shrink, sheets: [{ html, paths, width, height }] }) -> Promise of
//     [{ row, title, language } or { error }]
//
// Afterwards the tab shows the sheets that could be drawn, in their order, one on
// each page of a print that is made shrink times as large. A page is a little
// larger than its sheet: one too small would make two.
(() => {
  'use strict';

  const titleOf = (doc) => Object.getOwnPropertyDescriptor(Document.prototype, 'title').get.call(doc);
  const rootOf = (doc) => Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(doc);
  const slots = [];
  const sizes = document.createElement('style');
  document.head.append(sizes);
  document.body.style.margin = '0';

  const open = async () => {
    const box = document.createElement('div');
    const frame = document.createElement('iframe');
    box.style.cssText = 'overflow:hidden;break-inside:avoid;break-after:page';
    frame.style.cssText = 'display:block;border:0;margin:0;padding:0';
    frame.src = '/.pictifyd.frame';
    box.append(frame);
    const loaded = new Promise((resolve, reject) => { frame.onload = resolve; frame.onerror = reject; });
    document.body.append(box);
    await loaded;
    return { box, frame, page: globalThis.pictifydPage(frame.contentDocument) };
  };

  const place = ({ box, frame }, { width, height }) => {
    const size = `width:${width}px;height:${height}px;`;
    box.style.cssText = `${size}page:s${width}x${height};overflow:hidden;break-inside:avoid;break-after:page`;
    frame.style.cssText = `${size}display:block;border:0;margin:0;padding:0`;
  };

  const draw = async (slot, sheet) => {
    try {
      const row = await slot.page.draw(sheet.html, sheet.paths);
      if (row.failed.length > 0) slot.box.style.display = 'none';
      const doc = slot.frame.contentDocument;
      return { row, title: titleOf(doc), language: rootOf(doc).lang };
    } catch (fault) {
      slot.box.style.display = 'none';
      return { error: String(fault && fault.stack || fault).slice(0, 2000) };
    }
  };

  globalThis.pictifydPrint = async ({ shrink, sheets }) => {
    const missing = Math.max(sheets.length - slots.length, 0);
    slots.push(...await Promise.all(Array.from({ length: missing }, open)));
    const rules = new Set(sheets.map(({ width, height }) =>
      `@page s${width}x${height}{size:${width * shrink + 2}px ${height * shrink + 2}px;margin:0}`));
    sizes.textContent = [...rules].join('');
    slots.forEach((slot, i) => {
      if (i < sheets.length) place(slot, sheets[i]);
      else slot.box.style.display = 'none';
    });
    return Promise.all(sheets.map((sheet, i) => draw(slots[i], sheet)));
  };
})();
