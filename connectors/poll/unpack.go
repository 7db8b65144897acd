package poll

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxZstdWindow is how far back a document of zstd may refer; zstd -19 needs 8 MB.
const maxZstdWindow = 32 << 20

// The first bytes of what is packed; no document that is read begins with them.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// Packed reports whether a document that begins so is packed.
func Packed(begin []byte) bool {
	return bytes.HasPrefix(begin, gzipMagic) || bytes.HasPrefix(begin, zstdMagic)
}

// Unpack is document, unpacked where its first bytes say that it is gzip or zstd.
// Reading fails beyond limit bytes of what is in it, and where what was packed is
// not whole. Whoever calls it closes it.
func Unpack(document io.Reader, limit config.Bytes) (io.ReadCloser, error) {
	packed := &packedReader{from: bufio.NewReaderSize(document, 64<<10)}
	begin, _ := packed.from.Peek(len(zstdMagic)) // an error comes again
	switch {
	case bytes.HasPrefix(begin, gzipMagic):
		r, err := gzip.NewReader(packed)
		if err != nil {
			return nil, packed.explain("gzip", err)
		}
		return &unpackReader{name: "gzip", packed: packed, from: r, left: int64(limit), limit: limit, closeFunc: func() { _ = r.Close() }}, nil
	case bytes.Equal(begin, zstdMagic):
		r, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, packed.explain("zstd", err)
		}
		return &unpackReader{name: "zstd", packed: packed, from: r, left: int64(limit), limit: limit, closeFunc: r.Close}, nil
	}
	return io.NopCloser(packed.from), nil
}

// A packedReader remembers the error of its source, which is no fault of what is
// packed.
type packedReader struct {
	from *bufio.Reader
	err  error
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
	}
	return n, err
}

func (p *packedReader) explain(name string, err error) error {
	switch {
	case errors.Is(err, io.EOF) && p.err == nil:
		return err
	case p.err != nil:
		return p.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem.New(problem.Invalid, "the %s breaks off: %w", name, err).WithHint("see that it was written and sent to its end")
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return problem.New(problem.TooLarge, "the zstd refers back further than %d MB", maxZstdWindow>>20).
			WithHint("pack it without --long, or as gzip")
	}
	return problem.New(problem.Invalid, "it is not %s, though it begins so: %w", name, err).WithHint("pack it again")
}

type unpackReader struct {
	name      string
	packed    *packedReader
	from      io.Reader
	left      int64
	limit     config.Bytes
	closeFunc func()
}

func (u *unpackReader) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, overLimit(u.limit)
	}
	if err != nil {
		err = u.packed.explain(u.name, err)
	}
	return n, err
}

func (u *unpackReader) Close() error {
	u.closeFunc()
	return nil
}
