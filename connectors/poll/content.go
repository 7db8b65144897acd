package poll

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
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

// A Meter passes a document on, and knows its size and its digest so far.
type Meter struct {
	from  io.Reader
	limit config.Bytes
	hash  hash.Hash
	size  int64
}

// Measure is a Meter of r, whose Read fails beyond limit bytes.
func Measure(r io.Reader, limit config.Bytes) *Meter {
	return &Meter{from: r, limit: limit, hash: sha256.New()}
}

// Read implements io.Reader.
func (m *Meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.size += int64(n); m.size > int64(m.limit) {
		return 0, overLimit(m.limit)
	}
	m.hash.Write(p[:n])
	return n, err
}

// Size is how many bytes were read.
func (m *Meter) Size() int64 { return m.size }

// Digest is that of what was read, as Digest gives it of a whole document.
func (m *Meter) Digest() string { return hex.EncodeToString(m.hash.Sum(nil)) }

func overLimit(limit config.Bytes) error {
	return problem.New(problem.TooLarge, "the document is larger than %s", limit).
		WithHint("raise max_size, or split the source")
}
