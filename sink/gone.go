package sink

import (
	"errors"

	"github.com/pictifyd/pictifyd/internal/retry"
)

// gone marks an error of a receiver that is there no more.
type gone struct{ error }

func (g gone) Unwrap() error { return g.error }

// Gone is a permanent error that says that the receiver is there no more: the
// daemon sends nothing else to it until somebody resumes the sink.
func Gone(err error) error { return retry.Permanent(gone{err}) }

// IsGone reports whether err says that the receiver is there no more.
func IsGone(err error) bool {
	var g gone
	return errors.As(err, &g)
}
