// pictifydPNG makes PNGs of pixels, in the page, by the WebAssembly module that
// it is given. One encoder has one picture in hand at a time: from view() or
// the beginning of encodeFrame() to the end of encode().
(() => {
  'use strict';

  const modes = { fast: 0, small: 1, palette: 2 };
  const formats = { RGBA: 0, BGRA: 1, RGBX: 2, BGRX: 3 };
  const errors = ['no picture', 'unknown mode', 'unknown format', 'colours out of range', 'density out of range'];

  // WebAssembly memory never shrinks. Above this much it is given back after
  // the picture that needed it.
  const keep = 64 << 20;

  class Encoder {
    #module;
    #wasm;
    #width = 0;
    #height = 0;
    #busy = false;

    // create compiles the module: bytes is a buffer or a typed array.
    static async create(bytes) {
      const encoder = new Encoder();
      encoder.#module = await WebAssembly.compile(bytes);
      encoder.#wasm = (await WebAssembly.instantiate(encoder.#module)).exports;
      return encoder;
    }

    // view is where the pixels of the next picture go: 4 bytes each, straight
    // alpha, no padding. It is good until the next view() or encode(). It
    // throws a RangeError for a picture that is too large.
    view(width, height) {
      const at = this.#wasm.reserve(width, height);
      if (at === 0) throw new RangeError(`a PNG of ${width}x${height} pixels is too large`);
      this.#width = width;
      this.#height = height;
      return new Uint8Array(this.#wasm.memory.buffer, at >>> 0, width * height * 4);
    }

    // encode makes a PNG of what stands in the view. format is one of RGBA,
    // BGRA, RGBX and BGRX; with X, alpha is not looked at. density is in pixels
    // to the metre, 0 leaves it out. colours is for the palette mode, 2 to 256.
    encode({ mode = 'fast', format = 'RGBA', colours = 256, density = 0 } = {}) {
      const size = this.#wasm.encode(modes[mode] ?? -1, formats[format] ?? -1, colours, density);
      if (size < 0) throw new RangeError(`encode a PNG: ${errors[-1 - size]} (${mode}, ${format}, ${colours}, ${density})`);
      const png = new Uint8Array(this.#wasm.memory.buffer, this.#wasm.output() >>> 0, size).slice();
      if (this.#wasm.memory.buffer.byteLength > keep) this.#wasm = new WebAssembly.Instance(this.#module).exports;
      return png;
    }

    // encodeFrame makes a PNG of an opaque canvas's VideoFrame, and leaves
    // closing it to the caller. It resolves to null for a frame whose pixels
    // are not in one of the formats. Frames go one after the other: a second
    // call before the first is done throws.
    async encodeFrame(frame, options = {}) {
      const format = frame.format?.replace('A', 'X');
      if (!(format in formats)) return null;
      if (this.#busy) throw new Error('encode a PNG: another frame is in hand');
      this.#busy = true;
      try {
        const { width, height } = frame.visibleRect;
        await frame.copyTo(this.view(width, height));
        return this.encode({ ...options, format });
      } finally {
        this.#busy = false;
      }
    }
  }

  globalThis.pictifydPNG = Encoder;
})();
