package daemon

import (
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

// A patience is how often, and after which waits, a row is drawn again whose
// remote file could not be had just now.
type patience struct {
	again   int // tries after the first
	backoff retry.Backoff
	longest time.Duration // that a host may ask to be left alone
}

var (
	// Somebody waits for a batch, and can have its failed rows retried.
	jobPatience = patience{2, retry.Backoff{Base: 2 * time.Second, Max: 10 * time.Second}, 2 * time.Minute}
	// A binding's row has no other occasion: the waits are longer than a host
	// needs to be restarted.
	bindingPatience = patience{3, retry.Backoff{Base: time.Minute, Max: 5 * time.Minute}, time.Hour}
	// Who waits for one picture is told at once, and asks again if they like.
	askerPatience = patience{}
)

func patienceWith(c store.Claim) patience {
	switch {
	case c.Owner == store.AskerOwner, ofCheck(c.Owner):
		return askerPatience
	case c.Owner.Job() != "":
		return jobPatience
	}
	return bindingPatience
}

// againAfter is when a claim is drawn again whose file failed with err; not ok
// when another try cannot help, or it had all it gets.
func againAfter(c store.Claim, err error) (wait time.Duration, ok bool) {
	p := patienceWith(c)
	if retry.IsPermanent(err) || c.Tries >= p.again {
		return 0, false
	}
	wait = p.backoff.Next(c.Tries + 1)
	if asked, ok := retry.Wait(err); ok {
		wait = max(wait, asked)
	}
	return wait, wait <= max(p.longest, p.backoff.Max)
}

func triesAgain(c store.Claim, err error) bool {
	_, ok := againAfter(c, err)
	return ok
}

// assetScope is within what a URL that failed, or a host that is away, is not
// asked again: one try of a job's run, so that a dead host is asked a few times for
// 50,000 rows; of a binding a minute, so that its rows keep no others waiting.
func assetScope(c store.Claim, now time.Time) string {
	if id := c.Owner.Job(); id != "" {
		return fmt.Sprintf("%s#%d.%d", id, c.Run, c.Tries)
	}
	return fmt.Sprintf("%s@%d", c.Owner, now.Unix()/60)
}
