// Package png is a PNG encoder in WebAssembly, for the page that draws a
// picture to make its file as well.
//
// It promises files that every decoder reads, pixel for pixel what was given
// (in the modes fast and small), and the same bytes for the same picture. An
// opaque picture is written as RGB, another one as RGBA, one of few colours as
// a palette; all of them with 8 bits a channel, not interlaced, and without a
// colour profile.
//
// The modes:
//
//	fast      filters Sub, or Up under an equal row; looks for matches at the
//	          distances at which a picture's dithered gradients repeat, which it
//	          learns from samples. A palette where the whole picture has at most
//	          256 colours.
//	small     tries for each part which filters serve it, and weighs matches by
//	          the bits that they save: files smaller by 5 to 35 %, in three to
//	          seven times the time.
//	palette   at most so many colours, from 2 to 256, without dithering; each as
//	          it is where the picture has no more, alpha included. Else those are
//	          chosen that leave the least squared difference, and matches as in
//	          small.
//
// # Exports
//
//	memory
//	reserve(width, height) → address of the pixels, 0 when the picture is empty,
//	    has an edge over 16383 or more than 100 million pixels, or memory for it
//	    can't be had
//	encode(mode, format, colours, density) → size of the PNG, or an error
//	output() → address of the PNG, 0 without a picture
//
// Pixels are four bytes each, rows follow each other without a gap, alpha is
// straight. After reserve the caller writes width*height*4 bytes, calls encode,
// and reads the PNG; encode leaves the pixels as they are, so that it may be
// called again with another mode. Memory that grows detaches the views that
// JavaScript has of it, so take them after reserve.
//
//	mode     0 fast, 1 small, 2 palette
//	format   0 RGBA, 1 BGRA, 2 RGBX, 3 BGRX; with X the fourth byte is not looked at
//	colours  of the palette mode, 2 to 256; other modes leave it aside
//	density  pixels to the metre (5669 is 144 dpi), 0 says nothing; at most 2^31-1
//	errors   -1 nothing reserved, -2 mode, -3 format, -4 colours, -5 density
//
// # Bounds
//
// Every block of the file is written stored where compression would make it
// longer, so a PNG takes at most [MaxSize] bytes: less than 0.04 % and 1.3 KB
// more than the filtered rows. reserve makes room for that; [Memory] is what
// the whole comes to: 12 MB for 1200x630, 30 MB at twice that scale, 806 MB for
// 100 million pixels. WebAssembly memory never shrinks; Script's encoder starts
// anew after a picture that needed more than 64 MB.
//
// Sizes are checked before a block is written, and tokens as they are made. A
// check that fails ends in a trap, an exception in JavaScript, never in a write
// elsewhere; no picture is known that makes one fail.
//
// The encoder's source is encoder/*.c; build.sh makes encoder.wasm of it with
// Debian's clang-19 and lld-19, byte for byte the same each time, and a test
// holds the file against them.
package png
