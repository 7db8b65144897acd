package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/schedule"
)

// A feed is one source with the bindings that hang on it.
type feed struct {
	name    string
	every   time.Duration
	poller  connectors.Poller
	oneKey  string   // canonical, where the source has one row only
	passive bool     // never polled: its rows are sent, or asked for
	live    *lookout // nil where it finds no single rows
	stream  *stream  // nil where it is not held
	config  connectors.Config
	spec    []byte // that configuration as JSON; nil where a caller made it

	latest   latest
	since    time.Time
	expected time.Duration // something is heard of it so often; 0: nobody knows
	again    atomic.Int64  // when it is read after a failure, in Unix nanoseconds; 0: at its interval

	reads []string        // the sources whose rows it reads itself
	told  connectors.Told // where its rows are sent to it, how; else nil
	calls calls           // that bring them
	drift drift           // of their columns

	plan  *schedule.Plan // when it is read; nil is every so often
	zone  *time.Location // of the moments that it is read for
	queue bool           // runs wait for those before them

	gone   chan struct{}      // closed when f is no more
	rebind *errand            // compiles the bindings and plans the stored rows again
	rejoin *errand            // plans the rows again that join rows which changed
	wish   *errand            // reads the source
	hinted atomic.Bool        // the wish is of more than the interval, so that rest does not hold it back
	later  chan time.Duration // when to read again after a reading that failed; 0 after one that did not
	bound  atomic.Bool        // the stored rows are planned as the bindings are

	// gate keeps a reading and a change of the bindings apart: a reading is
	// planned with one set of bindings from its first row to its last.
	gate gate

	numbered bool // its readings are newer than whatever is stored
	compiled bool // bindings are those of the configuration, but for the unable
	bindings []*bindings.Binding
	failures int       // readings that failed in a row
	rest     time.Time // until then the interval has nothing read, after a failure
	noted    *string   // the error of the newest poll, as the store has it; nil: nobody knows
	// confirmable says that a reading with these bindings was closed, so that
	// the source's word that nothing changed since needs no commit.
	confirmable bool
	held        map[string]bool // bindings of which the guard holds something, as the log has it
}

// A gate is a mutex whose waiters give up when their context ends: a reading
// may last, and nobody's shutdown waits for it.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// enter waits until nobody else is inside. Whoever got nil must leave.
func (g gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryEnter enters only if nobody is inside.
func (g gate) tryEnter() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }

func (d *Daemon) newFeed(name string, base *connectors.Common, poller connectors.Poller) *feed {
	f := &feed{
		name: name, every: base.Every.Std(), poller: poller, since: time.Now(),
		later: make(chan time.Duration, 1), gate: newGate(), gone: make(chan struct{}), zone: base.Zone(),
	}
	f.rebind = newErrand(func(ctx context.Context) error { return d.bind(ctx, f) },
		func(err error) { d.faults.note(d.log, "bind", name, err) })
	f.rejoin = newErrand(func(ctx context.Context) error { return d.enterToRejoin(ctx, f) },
		func(err error) { d.faults.note(d.log, "lookups", name, err) })
	f.wish = newErrand(func(ctx context.Context) error { return d.look(ctx, f) },
		func(err error) { d.faults.note(d.log, "poll", name, err) })
	return f
}

// watch binds f and reads it: at the start, at every interval, sooner
// after a reading that failed, and whenever the source hints at a change. It
// blocks until ctx ends.
func (d *Daemon) watch(ctx context.Context, f *feed) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { f.rebind.work(ctx) })
	f.rebind.ask()
	if f.live != nil {
		wg.Go(func() { d.lookBehind(ctx, f) })
	}
	wg.Go(func() { f.rejoin.work(ctx) })
	wg.Go(func() { d.refreshClocks(ctx, f) })
	if f.passive {
		<-ctx.Done()
		return
	}
	if f.stream != nil {
		d.hold(ctx, f)
		return
	}
	wg.Go(func() { f.wish.work(ctx) })
	if f.plan != nil {
		d.keepSchedule(ctx, f)
		return
	}
	if w, ok := f.poller.(connectors.Waker); ok {
		wg.Go(func() {
			if err := w.Wake(ctx, f.hint); err != nil && ctx.Err() == nil {
				d.log.Warn("no hints of changes from this source, it is polled only", slog.String("source", f.name), slog.Any("err", err))
			}
		})
	}
	f.wish.ask()
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	again := time.NewTimer(f.every)
	again.Stop()
	pausing := false // after a failure; a source that asked to be left alone is, for longer than its interval too
	for {
		select {
		case <-ctx.Done():
			return
		case wait := <-f.later:
			again.Stop()
			if pausing = wait > 0; pausing {
				again.Reset(wait)
			}
			continue
		case <-again.C:
			pausing = false
		case <-tick.C:
			if pausing {
				continue
			}
		}
		f.wish.ask()
	}
}

// hint has f read because something may have changed, also where it rests after a failure.
func (f *feed) hint() {
	f.hinted.Store(true)
	f.wish.ask()
}

// resting reports whether a look that only the interval asked for is to be left out: it
// may have been asked for while the reading was under way that failed since. Only whoever
// is inside the gate may call it.
func (f *feed) resting() bool {
	return !f.hinted.Swap(false) && time.Now().Before(f.rest)
}

// read notes how a reading ended, so that one that failed is not left until the
// interval is over. Only whoever is inside the gate may call it.
func (f *feed) read(err error) {
	wait := time.Duration(0)
	f.failures++
	if err == nil {
		f.failures = 0
	} else {
		wait = f.pause(err)
	}
	f.again.Store(0)
	f.rest = time.Now().Add(wait) // a clock that is set does not change it
	if wait > 0 {
		f.again.Store(time.Now().Add(wait).UnixNano())
	}
	select { // only the newest counts
	case <-f.later:
	default:
	}
	f.later <- wait
}

// pause is the wait after the reading that failed with err: what its source
// asked for, else longer each time up to the interval.
func (f *feed) pause(err error) time.Duration {
	if asked, ok := retry.Wait(err); ok {
		return max(asked, time.Second)
	}
	return retry.Backoff{Base: min(5*time.Second, f.every), Max: f.every}.Next(f.failures)
}

// follow has f wait for what the feed in whose place it comes has in hand.
func (f *feed) follow(old *feed) {
	if old != nil {
		f.gate = old.gate
	}
}

// end has f read no further: it is gone, or another one takes its place.
func (f *feed) end() {
	close(f.gone)
	if c, ok := f.poller.(io.Closer); ok {
		_ = c.Close() // it only lets go of connections
	}
}

// living is ctx, which also ends when f does.
func (f *feed) living(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-f.gone:
			cancel(errFeedEnded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-done
	}
}

// errFeedEnded is why a reading stops whose source was changed or deleted.
var errFeedEnded = errors.New("the source was changed or deleted")

// ended reports whether another feed, or none, has the name of f now.
func (f *feed) ended() bool {
	select {
	case <-f.gone:
		return true
	default:
		return false
	}
}
