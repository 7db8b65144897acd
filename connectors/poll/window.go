package poll

import (
	"errors"
	"io"
)

var errHeld = errors.New("a record larger than may be held")

// A window lets a decoder read no more than maxHeld bytes beyond the last
// offset that it was moved to, so that the buffer of a decoder that looks for
// the end of a record stays bounded.
type window struct {
	r    io.Reader
	read int64
	end  int64
}

func (w *window) moveTo(offset int64) { w.end = offset + maxHeld }

func (w *window) Read(p []byte) (int, error) {
	if w.read >= w.end {
		return 0, errHeld
	}
	n, err := w.r.Read(p[:min(int64(len(p)), w.end-w.read)])
	w.read += int64(n)
	return n, err
}
