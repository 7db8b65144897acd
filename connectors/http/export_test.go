package httppoll

import (
	"context"
	"sync"
	"testing"
	"time"
)

// NextLink is nextLink, for its fuzz target.
var NextLink = nextLink

// HurryRetries has a test not wait between tries, and returns what it would have waited.
func HurryRetries(tb testing.TB) *[]time.Duration {
	var mu sync.Mutex
	var waits []time.Duration
	before := pause
	pause = func(ctx context.Context, wait time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		waits = append(waits, wait)
		return ctx.Err()
	}
	tb.Cleanup(func() { pause = before })
	return &waits
}

// HostsBusy is how many hosts are being asked.
func HostsBusy() int {
	allHosts.mu.Lock()
	defer allHosts.mu.Unlock()
	return len(allHosts.busy)
}
