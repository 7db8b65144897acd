package daemon

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/flight"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	// askRest is how long a source is left alone about a row after it could not be
	// asked, unless it said how long itself.
	askRest    = 2 * time.Second
	maxAskRest = time.Minute

	// behindLimit is how many rows wait to be asked for behind answers. One that
	// finds no place is asked for when its image is asked for again.
	behindLimit = 1024
	behindFew   = 4
)

// A lookout asks one source for single rows.
type lookout struct {
	finder  connectors.Finder
	columns int // of its key

	known  *sightings
	asked  flight.Group[struct{}] // by key
	behind chan request
	rested atomic.Int64 // the source said that it wants nothing before, in Unix nanoseconds

	// turns counts the beginnings and ends of whole readings: a row that was asked
	// for across one may be older than what it brought.
	turns     atomic.Int64
	confirmed atomic.Int64 // when the last one began that had every row, in Unix nanoseconds

	mu     sync.Mutex
	places map[string]chan struct{} // by binding
}

// A request is a row to be asked for.
type request struct{ binding, key string }

// newLookout is nil for a source that finds no rows.
func newLookout(cfg connectors.Config, poller connectors.Poller) *lookout {
	finder, ok := poller.(connectors.Finder)
	if !ok || !connectors.Finds(cfg) {
		return nil
	}
	return &lookout{
		finder: finder, columns: len(cfg.Base().Key), known: newSightings(sightingsLimit),
		behind: make(chan request, behindLimit), places: map[string]chan struct{}{},
	}
}

// turned notes that a whole reading begins, or ends.
func (l *lookout) turned() {
	if l != nil {
		l.turns.Add(1)
	}
}

// read notes that a reading that began at a time had every row.
func (l *lookout) read(began time.Time) {
	if l != nil {
		l.confirmed.Store(began.UnixNano())
	}
}

// enter takes a place of those that a binding may ask for at the same time.
func (l *lookout) enter(ctx context.Context, cfg bindings.Config) (leave func(), err error) {
	l.mu.Lock()
	places := l.places[cfg.Name]
	if cap(places) != cfg.Live.Concurrency {
		places = make(chan struct{}, cfg.Live.Concurrency)
		l.places[cfg.Name] = places
	}
	l.mu.Unlock()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refresh has a row asked for behind, if there is room.
func (l *lookout) refresh(r request) {
	select {
	case l.behind <- r:
	default:
	}
}

// lookBehind asks for rows that nobody waits for, until ctx ends.
func (d *Daemon) lookBehind(ctx context.Context, f *feed) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for range behindFew {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case r := <-f.live.behind:
					d.lookOnce(ctx, f, r)
				}
			}
		})
	}
}

// lookOnce asks for a row, and draws what it waits for, so that the next who ask have it.
func (d *Daemon) lookOnce(ctx context.Context, f *feed, r request) {
	cfg := d.roster().binding(r.binding)
	now := time.Now()
	if !cfg.Live.On() || f.live.known.get(r.key).fresh(cfg.Live, now) || f.live.resting(f.name, now) != nil {
		return
	}
	if err := d.find(ctx, f, cfg, r.key, nil); err != nil {
		return // noted
	}
	wants, err := d.store.Wanted(ctx, cfg.Name, r.key)
	for _, w := range wants {
		_, drawErr := easel{d}.Draw(ctx, w, nil)
		err = errors.Join(err, drawErr)
	}
	if ctx.Err() == nil {
		d.faults.note(d.log, "images behind", cfg.Name, err)
	}
}

// fresh reports whether a source need not be asked.
func (s sighting) fresh(live bindings.Live, now time.Time) bool {
	holds := live.TTL.Std()
	if !s.found {
		holds = live.MissingTTL.Std()
	}
	return !s.at.IsZero() && now.Sub(s.at) < holds
}

func (s sighting) shown() api.Sight { return api.Sight{At: s.at, Found: s.found} }

// A watchtower asks sources for rows whose images are asked for; the api has it.
type watchtower struct{ daemon *Daemon }

var _ api.Live = watchtower{}

// Sight implements api.Live.
func (t watchtower) Sight(binding, key string) (api.Sight, bool) {
	now := t.daemon.roster()
	cfg := now.binding(binding)
	f := now.feeds[cfg.Source]
	if f == nil || f.live == nil {
		return api.Sight{}, false
	}
	s := f.live.known.get(key)
	return s.shown(), s.fresh(cfg.Live, time.Now())
}

// Look implements api.Live.
func (t watchtower) Look(ctx context.Context, binding, key string, may func() error) (api.Sight, error) {
	d := t.daemon
	now := d.roster()
	cfg := now.binding(binding)
	f := now.feeds[cfg.Source]
	if f == nil || f.live == nil {
		return api.Sight{}, problem.New(problem.Unsupported, "the source of the binding %q finds no single rows", binding)
	}
	if columns, err := bindings.ParseKey(key); err != nil || len(columns) != f.live.columns {
		return api.Sight{At: time.Now()}, nil
	}
	moment := time.Now()
	s := f.live.known.get(key)
	switch {
	case s.fresh(cfg.Live, moment):
		return s.shown(), nil
	case s.found && moment.Sub(s.at) < cfg.Live.TTL.Std()+cfg.Live.SWR.Std():
		if !moment.Before(s.again) {
			f.live.refresh(request{binding, key})
		}
		return s.shown(), nil
	case s.err != nil && moment.Before(s.again):
		return s.shown(), s.err
	}
	if err := f.live.resting(f.name, moment); err != nil {
		return s.shown(), err
	}
	err := d.find(ctx, f, cfg, key, may)
	return f.live.known.get(key).shown(), err
}

// Draw implements api.Live.
func (t watchtower) Draw(ctx context.Context, binding, key, output string) error {
	wants, err := t.daemon.store.Wanted(ctx, binding, key)
	for _, w := range wants {
		if w.Output == output && err == nil {
			_, err = easel(t).Draw(ctx, w, nil) // what is wrong with the row is its image's problem
		}
	}
	return err
}

// find has the source asked for a row, once for all who want it at the same time.
func (d *Daemon) find(ctx context.Context, f *feed, cfg bindings.Config, key string, may func() error) error {
	_, led, err := f.live.asked.Do(ctx, key, func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, cfg.Live.Timeout.Std()*9/10) // the rest is for the drawing
		defer cancel()
		ctx, stop := f.living(ctx)
		defer stop()
		return struct{}{}, d.noteAsked(f, key, cfg.Live, d.ask(ctx, f, cfg, key, may))
	})
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		if !led && ctx.Err() == nil {
			return d.find(ctx, f, cfg, key, may) // another caller may no more; this one may
		}
		return refused.err
	case errors.Is(err, context.DeadlineExceeded):
		return lateSource(f.name, cfg.Live)
	case ctx.Err() == nil && (errors.Is(err, context.Canceled) || errors.Is(err, errFeedEnded)):
		return failedSource(f.name, errFeedEnded)
	}
	return err
}

// noteAsked remembers that the source could not be asked, so that it is left
// alone about this row for a while.
func (d *Daemon) noteAsked(f *feed, key string, live bindings.Live, err error) error {
	cause := causeOf(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = lateSource(f.name, live)
	case err != nil && cause == err: //nolint:errorlint // the very one
		return err // nothing of the source
	}
	d.faults.note(d.log, "row of source", f.name, cause)
	if err == nil {
		return nil
	}
	rest := askRest
	if asked, ok := retry.Wait(cause); ok {
		rest = min(max(asked, askRest), maxAskRest)
		f.live.rested.Store(time.Now().Add(rest).UnixNano())
	}
	f.live.known.fail(key, err, time.Now().Add(rest))
	return err
}

// slugRowFailed is of a source that could not be asked for a row.
const slugRowFailed = "row_unavailable"

// failedSource says no more than that, whatever the cause is: whoever loads an
// image need not know where the source is.
func failedSource(source string, cause error) error {
	wait, ok := retry.Wait(cause)
	if !ok {
		wait = askRest
	}
	p := problem.New(problem.Upstream, "the source %q could not be asked for this row", source).WithSlug(slugRowFailed).
		WithHint("ask again after the seconds of Retry-After; pictifyd's log says what is wrong")
	p.Err = cause
	return retry.After(p, wait)
}

// causeOf is what is behind the error of a source that could not be asked; another
// error as it is.
func causeOf(err error) error {
	var known *problem.Error
	if errors.As(err, &known) && known.Slug == slugRowFailed {
		return known.Err
	}
	return err
}

func lateSource(source string, live bindings.Live) error {
	return retry.After(problem.New(problem.Timeout, "the source %q, or the drawing, took longer than %s", source, live.Timeout).
		WithSlug("row_late").WithHint("ask again after the seconds of Retry-After, or set live.timeout higher"), askRest)
}

// resting is why the source is not asked for any row now; nil when it may be.
func (l *lookout) resting(source string, now time.Time) error {
	if wait := time.Unix(0, l.rested.Load()).Sub(now); wait > 0 {
		return failedSource(source, retry.After(errors.New("it said that it wants to be left alone"), wait))
	}
	return nil
}

// ask asks the source for a row, and commits what it says.
func (d *Daemon) ask(ctx context.Context, f *feed, cfg bindings.Config, key string, may func() error) error {
	l := f.live
	known, err := d.store.Known(ctx, f.name, []string{key}, nil)
	if err != nil {
		return err
	}
	row := known[key].Row
	if row != nil && !row.Missing {
		read := sighting{at: time.Unix(0, l.confirmed.Load()), found: true}
		if l.confirmed.Load() > 0 && read.fresh(cfg.Live, time.Now()) {
			l.known.put(key, read)
			return nil
		}
	}
	if row == nil && may != nil { // a key that somebody made up, for all that is known
		if err := may(); err != nil {
			return &refusal{err}
		}
	}
	leave, err := l.enter(ctx, cfg)
	if err != nil {
		return err
	}
	defer leave()
	_, err = d.findNow(ctx, f, key)
	return err
}

// findNow asks the source for a row, whatever is known of it, and remembers what
// it said.
func (d *Daemon) findNow(ctx context.Context, f *feed, key string) (found bool, err error) {
	l := f.live
	for {
		turns, began := l.turns.Load(), time.Now()
		known, err := d.store.Known(ctx, f.name, []string{key}, nil)
		if err != nil {
			return false, err
		}
		if found, err = d.findOne(ctx, f, key, known[key].Row); err != nil {
			return false, err
		}
		if l.turns.Load() == turns {
			l.known.put(key, sighting{at: began, found: found})
			return found, nil
		}
		// A whole reading overlapped: which of both is newer nobody can say.
	}
}

// findOne asks for one row, and commits it where it is not as it was.
func (d *Daemon) findOne(ctx context.Context, f *feed, key string, before *bindings.StoredRow) (found bool, err error) {
	columns, err := bindings.ParseKey(key)
	if err != nil {
		return false, err
	}
	began := time.Now()
	row, found, err := f.live.finder.Find(ctx, columns)
	d.metrics.found(f.name, found, err, time.Since(began))
	switch {
	case err != nil && ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		return false, failedSource(f.name, err)
	case !found && before == nil:
		return false, nil
	case !found:
		row = connectors.Row{Key: make([]any, len(columns)), Deleted: true}
		for i, c := range columns {
			row.Key[i] = c
		}
	default:
		same, err := sameRow(key, row, before)
		if err != nil {
			return false, failedSource(f.name, err)
		}
		if same {
			return true, nil
		}
	}
	if _, err := d.take(ctx, f, arrival{rows: []connectors.Row{row}, asked: true}); err != nil {
		return false, err
	}
	d.crash("row.found")
	return found, nil
}

// sameRow reports whether row is what is stored. Its error is why it is none, or
// another one.
func sameRow(key string, row connectors.Row, before *bindings.StoredRow) (bool, error) {
	is, err := bindings.CanonicalKey(row.Key)
	if err != nil {
		return false, err
	}
	if is != key {
		return false, problem.New(problem.Upstream, "it was asked for the row %q and answered %q", bindings.KeyText(key), bindings.KeyText(is)).
			WithHint("the address must name the row by its key columns, as they stand in the answer")
	}
	values, err := bindings.Canonical(row.Values)
	if err != nil {
		return false, err
	}
	return before != nil && !before.Missing && before.Digest == bindings.Digest(values), nil
}
