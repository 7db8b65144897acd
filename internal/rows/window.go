package rows

import (
	"errors"
	"io"
)

// ErrHeld says that a record is larger than is held to find its end.
var ErrHeld = errors.New("a record larger than may be held")

// A Window lets a decoder read no more than Size bytes beyond the last offset
// that it was moved to, so that the buffer of a decoder that looks for the end
// of a record stays bounded. Its error is then ErrHeld.
type Window struct {
	From io.Reader
	Size int64

	read int64
	end  int64
}

// MoveTo says that what lies before offset is not held any more.
func (w *Window) MoveTo(offset int64) { w.end = offset + w.Size }

// Read implements io.Reader.
func (w *Window) Read(p []byte) (int, error) {
	if w.read >= w.end {
		return 0, ErrHeld
	}
	n, err := w.From.Read(p[:min(int64(len(p)), w.end-w.read)])
	w.read += int64(n)
	return n, err
}
