package api

import (
	"crypto/sha256"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// slugGuesses is for clients that sent too many keys which are none.
const slugGuesses = "too_many_bad_keys"

// maxKnown is how many keys of a client are remembered.
const maxKnown = 16

// guesses counts the keys that are none by the clients that send them. Whoever sent
// too many learns nothing more, not even that a key is right; but a key that
// came from there before goes on, so that nobody can shut out their neighbours.
type guesses struct {
	perMinute int // 0: as many as come
	log       *slog.Logger

	mu  sync.Mutex
	all map[string]*guesser // by client
}

type guesser struct {
	left  *rate.Limiter
	known map[[sha256.Size]byte]bool
	told  bool // since it had some left
}

func newGuesses(perMinute int, log *slog.Logger) *guesses {
	return &guesses{perMinute: perMinute, log: log, all: map[string]*guesser{}}
}

// judge is told of each key that is sent, and whether it is one. Its error stands in
// the place of whatever would be said of the key.
func (g *guesses) judge(r *http.Request, key string, right bool) error {
	if g.perMinute == 0 {
		return nil
	}
	client, digest, now := clientOf(r), sha256.Sum256([]byte(key)), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.of(client, now)
	switch {
	case right && one.known[digest]:
		return nil
	case right && one.left.TokensAt(now) >= 1:
		if len(one.known) < maxKnown {
			one.known[digest] = true
		}
		one.told = false
		return nil
	case !right && one.left.AllowN(now, 1):
		return nil
	}
	if !one.told {
		one.told = true
		g.log.Warn("an address sends keys that are not known, it is not told of them any more", slog.String("client", client))
	}
	wait := time.Duration((1 - one.left.TokensAt(now)) / float64(one.left.Limit()) * float64(time.Second))
	return retry.After(problem.New(problem.Overloaded, "your address sent %d keys in a minute that are not known", g.perMinute).
		WithSlug(slugGuesses).WithHint("check the key that your programs send; it is looked at again after the seconds of Retry-After"), wait)
}

func (g *guesses) of(client string, now time.Time) *guesser {
	if one, ok := g.all[client]; ok {
		return one
	}
	if len(g.all) >= maxBuckets {
		g.forget(now)
	}
	one := &guesser{left: rate.NewLimiter(rate.Limit(float64(g.perMinute)/60), g.perMinute), known: map[[sha256.Size]byte]bool{}}
	g.all[client] = one
	return one
}

// forget makes room: those who guess are remembered longest.
func (g *guesses) forget(now time.Time) {
	for client, one := range g.all {
		if one.left.TokensAt(now) >= float64(g.perMinute) {
			delete(g.all, client)
		}
	}
	if len(g.all) >= maxBuckets {
		clear(g.all)
	}
}
