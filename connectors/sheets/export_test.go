package sheets

import "time"

// Hurry makes the waits between tries short, for tests.
func Hurry() {
	usual.backoff.Base, usual.backoff.Max = time.Millisecond, 8*time.Millisecond
}

// Small makes blocks small, for tests, until the returned function is called.
func Small() (restore func()) {
	before := whole
	whole = cut{piece: 9000, first: 100, most: 500, bytes: 64 << 10}
	return func() { whole = before }
}
