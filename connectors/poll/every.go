package poll

import (
	"context"
	"math/rand/v2"
	"time"
)

// Every calls do at once and then once per interval, until ctx ends. Each pause
// is up to a tenth shorter or longer than interval, so that sources that were
// started together do not stay together. Calls never overlap; one that takes
// longer than the pause is followed by the next without another.
func Every(ctx context.Context, interval time.Duration, do func(ctx context.Context)) {
	for ctx.Err() == nil {
		next := time.NewTimer(jitter(interval))
		do(ctx)
		select {
		case <-ctx.Done():
			next.Stop()
		case <-next.C:
		}
	}
}

func jitter(interval time.Duration) time.Duration {
	return interval + time.Duration((rand.Float64()*2-1)*0.1*float64(interval))
}
