package blob_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/store/blob"
)

// BenchmarkPutMany is 100 new pictures of 100 KB, in a folder and in a bucket of a
// server on this machine.
func BenchmarkPutMany(b *testing.B) {
	for _, place := range []struct {
		name   string
		config func() blob.Config
	}{
		{"folder", func() blob.Config { return blob.Config{URL: "file:images"} }},
		{"bucket", func() blob.Config { return configOf(s3test.New(b), "bench") }},
	} {
		b.Run(place.name, func(b *testing.B) {
			s := must[blob.Store](b)(blob.Open(place.config(), b.TempDir()))
			defer s.Close()
			picture := bytes.Repeat([]byte{7}, 100<<10)
			b.SetBytes(100 * 100 << 10)
			n := 0
			for b.Loop() {
				data := make([][]byte, 100)
				for i := range data {
					n++
					data[i] = fmt.Appendf(bytes.Clone(picture), "%d", n)
				}
				if _, err := s.PutMany(b.Context(), data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
