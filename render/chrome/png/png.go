package png

import _ "embed" // the encoder and its script

//go:generate ./build.sh

// Wasm is the encoder: a WebAssembly module without imports. See the package's
// comment for what it exports.
//
//go:embed encoder.wasm
var Wasm []byte

// Script defines pictifydPNG, which makes an encoder of Wasm in a page. It can
// be evaluated in any JavaScript world, and leaves nothing else there.
//
//go:embed encoder.js
var Script string

// Limits of a picture.
const (
	MaxEdge   = 16_383
	MaxPixels = 100_000_000
)

// MaxSize is more than any PNG of a picture of this size takes: its filtered
// bytes with alpha, six bytes for every 16 KB of them, and the chunks around.
func MaxSize(width, height int) int64 {
	const minBlock, storedOverhead, container = 16 << 10, 6, 1280
	raw := int64(height) * (4*int64(width) + 1)
	return raw + (raw/minBlock+2)*storedOverhead + container
}

// Memory is how many bytes of WebAssembly memory a picture of this size needs,
// the encoder's own included, to a page of 64 KB.
func Memory(width, height int) int64 {
	const own, guard = 11 << 19, 256
	return own + 4*int64(width)*int64(height) + MaxSize(width, height) + guard
}
