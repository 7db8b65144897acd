package png

import (
	"bytes"
	"fmt"
	"image"
	stdpng "image/png"
	"testing"
)

// The encoder's figures here are those of a WebAssembly engine in Go, which is
// slower than Chrome's by half or more; its sizes are the same in both. The
// standard library is there for scale.
func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"flat", "card", "gradient", "photo", "noise", "alpha"} {
		img := painters[name](1200, 630)
		for _, mode := range []struct {
			name string
			options
		}{{"fast", options{mode: fast}}, {"small", options{mode: small}}, {"palette", options{mode: palette, colours: 256}}} {
			b.Run(fmt.Sprintf("%s/%s", name, mode.name), func(b *testing.B) { benchmarkEncoder(b, img, mode.options) })
		}
		b.Run(name+"/go-fastest", func(b *testing.B) { benchmarkStandard(b, img, stdpng.BestSpeed) })
		b.Run(name+"/go-default", func(b *testing.B) { benchmarkStandard(b, img, stdpng.DefaultCompression) })
	}
}

func benchmarkEncoder(b *testing.B, img *image.NRGBA, o options) {
	m := newMachine(b)
	input := call(b, m.reserve, uint64(img.Rect.Dx()), uint64(img.Rect.Dy()))
	copy(m.view(b, input, input+uint32(len(img.Pix))), img.Pix)
	var size uint32
	for b.Loop() {
		size = call(b, m.encode, uint64(o.mode), uint64(o.format), uint64(o.colours), 0)
	}
	b.ReportMetric(float64(size)/1024, "KB")
}

func benchmarkStandard(b *testing.B, img image.Image, level stdpng.CompressionLevel) {
	encoder := stdpng.Encoder{CompressionLevel: level}
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		if err := encoder.Encode(&file, img); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len())/1024, "KB")
}
