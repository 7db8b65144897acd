package png

import (
	"bytes"
	"context"
	"fmt"
	"image"
	stdpng "image/png"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The encoder's numbers.
const (
	fast    = 0
	small   = 1
	palette = 2

	formatRGBA = 0
	formatBGRA = 1
	formatRGBX = 2
	formatBGRX = 3
)

// An options is what encode takes beside the picture.
type options struct{ mode, format, colours, density uint32 }

func (o options) String() string {
	return fmt.Sprintf("mode %d, format %d, %d colours", o.mode, o.format, o.colours)
}

// A machine is one instance of the encoder.
type machine struct {
	memory                  api.Memory
	reserve, encode, output api.Function
}

// engine is the WebAssembly engine of all tests, and compiled the encoder in it.
var engine = sync.OnceValue(func() wazero.Runtime { return wazero.NewRuntime(context.Background()) })

var compiled = sync.OnceValues(func() (wazero.CompiledModule, error) {
	return engine().CompileModule(context.Background(), Wasm)
})

func newMachine(tb testing.TB) *machine {
	tb.Helper()
	module, err := compiled()
	if err != nil {
		tb.Fatal(err)
	}
	return newMachineOf(tb, engine(), module)
}

func newMachineOf(tb testing.TB, runtime wazero.Runtime, module wazero.CompiledModule) *machine {
	tb.Helper()
	instance, err := runtime.InstantiateModule(tb.Context(), module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { instance.Close(context.Background()) })
	return &machine{
		memory: instance.Memory(), reserve: instance.ExportedFunction("reserve"),
		encode: instance.ExportedFunction("encode"), output: instance.ExportedFunction("output"),
	}
}

func call(tb testing.TB, f api.Function, args ...uint64) uint32 {
	tb.Helper()
	results, err := f.Call(tb.Context(), args...)
	if err != nil {
		tb.Fatalf("call %s%v: %v", f.Definition().Name(), args, err)
	}
	return uint32(results[0])
}

// canary fills the memory in which nothing may be written.
const canary = 0xC5

// A region is a part of the memory.
type region struct{ from, to uint32 }

// outside is the memory between the pixels and the PNG, and behind the PNG.
func (m *machine) outside(width, height int, input, output uint32) []region {
	pages, _ := m.memory.Grow(0)
	end := uint64(pages) << 16
	return []region{
		{input + uint32(4*width*height), output},
		{output + uint32(MaxSize(width, height)), uint32(min(end, 1<<32-1))},
	}
}

func (m *machine) view(tb testing.TB, from, to uint32) []byte {
	tb.Helper()
	if to < from {
		tb.Fatalf("a region from %d to %d", from, to)
	}
	view, ok := m.memory.Read(from, to-from)
	if !ok {
		tb.Fatalf("memory from %d to %d can't be read", from, to)
	}
	return view
}

// try encodes pixels and returns the PNG, or the code of the error. It fails
// the test where a byte outside of the PNG was written.
func (m *machine) try(tb testing.TB, width, height int, pixels []byte, o options) ([]byte, int32) {
	tb.Helper()
	input := call(tb, m.reserve, uint64(width), uint64(height))
	if input == 0 {
		tb.Fatalf("reserve %dx%d: no memory", width, height)
	}
	output := call(tb, m.output)
	view := m.view(tb, input, input+uint32(len(pixels)))
	copy(view, pixels)
	for _, r := range m.outside(width, height, input, output) {
		fill(m.view(tb, r.from, r.to), canary)
	}
	size := int32(call(tb, m.encode, uint64(o.mode), uint64(o.format), uint64(o.colours), uint64(o.density)))
	if !bytes.Equal(view, pixels) {
		tb.Fatalf("%dx%d, %v: the pixels were changed", width, height, o)
	}
	for i, r := range m.outside(width, height, input, output) {
		if at := firstOther(m.view(tb, r.from, r.to), canary); at >= 0 {
			tb.Fatalf("%dx%d, %v: byte %d of region %d was written", width, height, o, at, i)
		}
	}
	if size < 0 {
		return nil, size
	}
	if int64(size) > MaxSize(width, height) {
		tb.Fatalf("%dx%d, %v: %d bytes, more than %d", width, height, o, size, MaxSize(width, height))
	}
	return bytes.Clone(m.view(tb, output, output+uint32(size))), 0
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// firstOther is where b has another byte than v, -1 if nowhere.
func firstOther(b []byte, v byte) int {
	if bytes.Count(b, []byte{v}) == len(b) {
		return -1
	}
	for i := range b {
		if b[i] != v {
			return i
		}
	}
	return -1
}

// png is the PNG of a picture.
func (m *machine) png(tb testing.TB, img *image.NRGBA, o options) []byte {
	tb.Helper()
	file, code := m.try(tb, img.Rect.Dx(), img.Rect.Dy(), arrange(img.Pix, o.format), o)
	if code != 0 {
		tb.Fatalf("%v, %v: error %d", img.Rect, o, code)
	}
	return file
}

// arrange is RGBA pixels in another format; X is filled with what must not matter.
func arrange(pix []byte, format uint32) []byte {
	out := bytes.Clone(pix)
	for i := 0; i < len(out); i += 4 {
		if format == formatBGRA || format == formatBGRX {
			out[i], out[i+2] = out[i+2], out[i]
		}
		if format >= formatRGBX {
			out[i+3] = byte(i * 7)
		}
	}
	return out
}

// decode reads a PNG as the standard library does.
func decode(tb testing.TB, file []byte) *image.NRGBA {
	tb.Helper()
	img, err := stdpng.Decode(bytes.NewReader(file))
	if err != nil {
		tb.Fatalf("decode: %v", err)
	}
	out := image.NewNRGBA(img.Bounds())
	switch img := img.(type) {
	case *image.NRGBA:
		return img
	case *image.RGBA: // opaque, so the same
		copy(out.Pix, img.Pix)
	case *image.Paletted:
		for i, index := range img.Pix {
			out.Set(i%img.Rect.Dx(), i/img.Rect.Dx(), img.Palette[index])
		}
	default:
		tb.Fatalf("decode: a PNG of %T", img)
	}
	return out
}

// samePixels fails the test at the first pixel that differs.
func samePixels(tb testing.TB, got, want *image.NRGBA, what string) {
	tb.Helper()
	if got.Rect != want.Rect {
		tb.Fatalf("%s: size %v, want %v", what, got.Rect, want.Rect)
	}
	if bytes.Equal(got.Pix, want.Pix) {
		return
	}
	for i := 0; i < len(want.Pix); i += 4 {
		if !bytes.Equal(got.Pix[i:i+4], want.Pix[i:i+4]) {
			w := want.Rect.Dx()
			tb.Fatalf("%s: pixel %d,%d is %v, want %v", what, i/4%w, i/4/w, got.Pix[i:i+4], want.Pix[i:i+4])
		}
	}
}
