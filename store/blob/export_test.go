package blob

import "time"

// Hasten has the sessions of removals be short, as far as a clock of seconds allows.
func Hasten(b *Bucket) {
	b.terms.lease, b.terms.late = 2*time.Second, 2*time.Second
	b.backoff.Base, b.backoff.Max = time.Millisecond, 10*time.Millisecond
}

// Lease is how long a removal is let in.
func Lease(b *Bucket) time.Duration { return b.terms.lease + b.terms.late }

// Forget is what time does.
func Forget(b *Bucket, hash string) { b.known.drop(hash) }
