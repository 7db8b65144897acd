package rendertest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"testing"
)

// Files is an assets library by digest, as renderers ask one for bytes. An
// unknown digest is fs.ErrNotExist.
type Files map[string]File

// A File is what is known of one digest.
type File struct {
	ContentType string
	Bytes       []byte
	Err         error // when not nil, the answer instead of the bytes
}

// Open gives the bytes of digest.
func (f Files) Open(_ context.Context, digest string) (io.ReadCloser, string, error) {
	file, ok := f[digest]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	if file.Err != nil {
		return nil, "", file.Err
	}
	return io.NopCloser(bytes.NewReader(file.Bytes)), file.ContentType, nil
}

// PNG is a picture of one colour.
func PNG(tb testing.TB, width, height int, c color.Color) []byte {
	tb.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}
