package poll

import (
	"bytes"
	"fmt"
	"io"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// MaxSize is the size of a document up to which it is read, by default.
const MaxSize config.Bytes = 256 << 20

// ReadAll reads r to its end, at most limit bytes. size is what is known of its
// length; a negative one is unknown.
func ReadAll(r io.Reader, size int64, limit config.Bytes) ([]byte, error) {
	if size > int64(limit) {
		return nil, overLimit(limit)
	}
	var buf bytes.Buffer
	if size > 0 {
		// bytes.Buffer wants this much to spare to see the end without growing.
		buf.Grow(int(size) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read after %d bytes: %w", n, err)
	}
	if n > int64(limit) {
		return nil, overLimit(limit)
	}
	return buf.Bytes(), nil
}

func overLimit(limit config.Bytes) error {
	return problem.New(problem.TooLarge, "the document is larger than %s", limit).
		WithHint("raise max_size, or split the source")
}
