package daemon

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// wakeFew is how many rows a source is asked for at a time by a stream that names them.
	wakeFew = 4

	// wakeTries is how often a source is asked for a row before it is kept out: what
	// stands behind it in the stream goes on.
	wakeTries = 5

	// notAsked is why a row that a stream named is kept out.
	notAsked = "not_asked"
)

// A waker has rows of another source be asked for that a stream names.
type waker struct {
	source string

	mu    sync.Mutex
	tries map[string]int // of keys for which it could not be asked, and is again
}

func newWaker(cfg connectors.Config) *waker {
	w, ok := cfg.(connectors.Waking)
	if !ok || w.Rereads() == "" {
		return nil
	}
	return &waker{source: w.Rereads(), tries: map[string]int{}}
}

// wake asks the source that w names for the rows that b does, each once, and has it
// read as a whole where it can't be asked for one. It is done before b is
// committed, so that a death in between asks again. What can't be asked for at all
// becomes a fault of b.
func (d *Daemon) wake(ctx context.Context, w *waker, b *connectors.Batch) error {
	other := d.roster().feeds[w.source]
	if other == nil {
		return problem.New(problem.NotFound, "there is no source %q, whose rows this stream names", w.source)
	}
	if other.live == nil {
		return d.store.WantPoll(ctx, w.source)
	}
	keys := map[string][]any{}
	for _, key := range b.Wakes {
		text, err := bindings.CanonicalKey(key)
		if err == nil && len(key) != other.live.columns {
			err = problem.New(problem.Invalid, "a row of the source %q has a key of %d columns, and this names %d", w.source, other.live.columns, len(key))
		}
		if err != nil {
			b.Faults = append(b.Faults, connectors.Fault{Position: fmt.Sprint(key), Reason: notAsked, Detail: err.Error()})
			continue
		}
		keys[text] = key
	}
	var group errgroup.Group
	group.SetLimit(wakeFew)
	var mu sync.Mutex
	for text, key := range keys {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, findLimit)
			defer cancel()
			_, err := d.findNow(ctx, other, text)
			switch {
			case err == nil:
				w.asked(text)
				return nil
			case w.again(text):
				return problem.New(problem.Upstream, "ask source %q for the row %q, which this stream names: %w", w.source, bindings.KeyText(text), causeOf(err))
			}
			mu.Lock()
			defer mu.Unlock()
			b.Faults = append(b.Faults, connectors.Fault{
				Key: key, Position: bindings.KeyText(text), Reason: notAsked,
				Detail: fmt.Sprintf("the source %q could not be asked for it %d times: %v", w.source, wakeTries, err),
			})
			return nil
		})
	}
	return group.Wait()
}

// asked notes that the source was asked for a row.
func (w *waker) asked(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tries, key)
}

// again reports whether a row that could not be asked for is to be asked for again.
func (w *waker) again(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tries[key]++; w.tries[key] < wakeTries {
		return true
	}
	delete(w.tries, key)
	return false
}

// wakes judges the file's streams that name rows of another source.
func (s *Settings) wakes() (list problem.List) {
	configs := map[string]connectors.Config{}
	for _, source := range s.Sources {
		configs[source.Name] = source.Config
	}
	for _, source := range s.Sources {
		w, ok := source.Config.(connectors.Waking)
		if !ok || w.Rereads() == "" || !connectors.Streams(source.Config) {
			continue
		}
		list = append(list, rereads(source.node, source.Name, w.Rereads(), sortedKeys(configs))...)
		if other := configs[w.Rereads()]; other != nil && w.Rereads() != source.Name && connectors.Streams(other) {
			list = append(list, config.Problem(source.node, "refresh", problem.Invalid, "the source %q is a stream: its rows come by themselves", w.Rereads()).
				WithHint("name a source that can be asked for rows, or read"))
		}
	}
	return list
}
