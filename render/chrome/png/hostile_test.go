package png

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

func TestReserveRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	minus := uint64(math.MaxUint32)
	for _, size := range [][2]uint64{
		{0, 0}, {0, 5}, {5, 0}, {MaxEdge + 1, 1}, {1, MaxEdge + 1}, {10_001, 10_000}, {minus, 1}, {1, minus}, {minus, minus},
		{1 << 16, 1 << 16}, {1 << 31, 2}, {MaxEdge, MaxEdge},
	} {
		call(t, m.reserve, 10, 10)
		if at := call(t, m.reserve, size[0], size[1]); at != 0 {
			t.Errorf("reserve %d x %d: %d, want 0", size[0], size[1], at)
		}
		if code := int32(call(t, m.encode, fast, formatRGBA, 0, 0)); code != -1 {
			t.Errorf("encode after reserve %d x %d: %d, want -1", size[0], size[1], code)
		}
		if at := call(t, m.output); at != 0 {
			t.Errorf("output after reserve %d x %d: %d, want 0", size[0], size[1], at)
		}
	}
	samePixels(t, decode(t, m.png(t, card(40, 30), options{})), card(40, 30), "after refusals")
}

func TestEncodeRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if code := int32(call(t, m.encode, fast, formatRGBA, 0, 0)); code != -1 {
		t.Errorf("encode before reserve: %d, want -1", code)
	}
	img := card(40, 30)
	for _, c := range []struct {
		o    options
		want int32
	}{
		{options{mode: 3}, -2},
		{options{mode: math.MaxUint32}, -2},
		{options{format: 4}, -3},
		{options{format: math.MaxUint32}, -3},
		{options{mode: palette}, -4},
		{options{mode: palette, colours: 1}, -4},
		{options{mode: palette, colours: 257}, -4},
		{options{mode: palette, colours: math.MaxUint32}, -4},
		{options{density: 1 << 31}, -5},
	} {
		file, code := m.try(t, 40, 30, img.Pix, c.o)
		if code != c.want {
			t.Errorf("%v: %d bytes and %d, want %d", c.o, len(file), code, c.want)
		}
		samePixels(t, decode(t, m.png(t, img, options{})), img, "after an error")
	}
}

// Noise can't be compressed: what is written then is what is promised as most.
func TestNoiseIsStored(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, size := range [][2]int{{1, 1}, {16, 16}, {333, 77}, {700, 300}, {1, 16383}, {16383, 1}, {16383, 9}} {
		for _, mode := range []uint32{fast, small} {
			img := alphaNoise(size[0], size[1])
			file := m.png(t, img, options{mode: mode})
			raw := size[1] * (4*size[0] + 1)
			if over := len(file) - raw; over > 80+raw/2000 {
				t.Errorf("%v, mode %d: %d bytes more than the %d of the filtered rows", size, mode, over, raw)
			}
			samePixels(t, decode(t, file), img, "noise")
		}
	}
}

func TestLargePicture(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("takes seconds: runs in the pass without -short")
	}
	t.Parallel()
	m := newMachine(t)
	img := card(3000, 2000)
	for _, mode := range []uint32{fast, small} {
		samePixels(t, decode(t, m.png(t, img, options{mode: mode, format: formatBGRX})), img, "3000x2000")
	}
	for _, size := range [][2]int{{MaxEdge, 60}, {60, MaxEdge}} {
		img := photo(size[0], size[1])
		samePixels(t, decode(t, m.png(t, img, options{})), img, "the longest edge")
	}
	pages, _ := m.memory.Grow(0)
	if got, most := int64(pages)<<16, Memory(3000, 2000)+1<<16; got > most {
		t.Errorf("%d bytes of memory for 3000x2000, want at most %d", got, most)
	}
}

func TestReserveTakesTheMemoryItSays(t *testing.T) {
	t.Parallel()
	sizes := [][2]int{{1, 1}, {1200, 630}, {2400, 1260}}
	if !campaign.Leaves(t) {
		sizes = append(sizes, [2]int{10_000, 10_000})
	}
	for _, size := range sizes {
		m := newMachine(t)
		if at := call(t, m.reserve, uint64(size[0]), uint64(size[1])); at == 0 {
			t.Errorf("%v: no memory", size)
		}
		pages, _ := m.memory.Grow(0)
		if got, most := int64(pages)<<16, Memory(size[0], size[1])+1<<16; got > most || got < most-2<<20 {
			t.Errorf("%v: %d bytes of memory, want about %d", size, got, most)
		}
	}
}

// No memory is an answer, not a trap.
func TestReserveAnswersWhenMemoryCannotBeHad(t *testing.T) {
	t.Parallel()
	const pages = 200
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithMemoryLimitPages(pages))
	t.Cleanup(func() { runtime.Close(context.Background()) })
	module, err := runtime.CompileModule(t.Context(), Wasm)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachineOf(t, runtime, module)
	if at := call(t, m.reserve, 1200, 1200); at != 0 {
		t.Errorf("%d bytes at %d in a memory of %d", Memory(1200, 1200), at, pages<<16)
	}
	if code := int32(call(t, m.encode, fast, formatRGBA, 0, 0)); code != -1 {
		t.Errorf("encode without memory: %d, want -1", code)
	}
	samePixels(t, decode(t, m.png(t, card(40, 30), options{})), card(40, 30), "after a refusal")
}

func TestDensityIsKept(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if chunk := chunks(t, m.png(t, card(9, 9), options{}))["pHYs"]; chunk != nil {
		t.Errorf("a density of %v that nobody asked for", chunk)
	}
	chunk := chunks(t, m.png(t, card(9, 9), options{density: 5669}))["pHYs"]
	want := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 5669), 5669)
	if !bytes.Equal(chunk, append(want, 1)) {
		t.Errorf("density: %v, want %v", chunk, append(want, 1))
	}
}
