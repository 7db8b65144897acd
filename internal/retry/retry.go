// Package retry holds the marks by which an error tells a queue what to do, and
// the waits between tries.
package retry

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks err: another try cannot help. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err, or what it wraps, is marked Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type afterError struct {
	err  error
	wait time.Duration
}

func (e *afterError) Error() string { return e.err.Error() }
func (e *afterError) Unwrap() error { return e.err }

// After marks err: the next try makes sense once wait has passed, not before.
// After(nil, …) is nil.
func After(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &afterError{err, wait}
}

// Wait is what After asked for, and whether it did.
func Wait(err error) (time.Duration, bool) {
	var a *afterError
	if errors.As(err, &a) {
		return a.wait, true
	}
	return 0, false
}

// A Backoff is an exponential wait with full jitter in its upper half.
type Backoff struct {
	Base time.Duration // the wait after the first failure
	Max  time.Duration // no wait is longer
}

// Next is the wait after the n-th failure, n counting from 1: between half of
// and the whole of Base·2^(n-1), at most Max.
func (b Backoff) Next(n int) time.Duration {
	// Beyond 64 doublings any wait is at Max; without the bound 0·∞ would be no number.
	d := float64(b.Base) * math.Pow(2, float64(min(max(n, 1), 64)-1))
	d = min(d, float64(b.Max))
	return time.Duration(d/2 + rand.Float64()*d/2)
}
