package chrome

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

// startBackoff is between tries to start a Chrome that did not start or did
// not live.
var startBackoff = retry.Backoff{Base: 500 * time.Millisecond, Max: 30 * time.Second}

// A Pool is a render.Renderer on several Chromes. It starts, watches, replaces
// and stops them; whoever renders sees only pictures and errors.
type Pool struct {
	launcher *launcher
	options  Options
	idle     time.Duration
	life     context.Context // ends with the pool; bounds what no caller waits for
	end      context.CancelFunc
	work     sync.WaitGroup // every goroutine of the pool

	mu      sync.Mutex
	closed  bool
	places  []*place
	waiting []*waiter
	turns   int64
	busy    int
	live    map[*chromium]bool // with a place, or with their last rows in hand
	quiet   chan struct{}      // closed when closed and nothing is in hand
	resting *time.Timer        // until Chromes are stopped for want of work
}

var _ render.Renderer = (*Pool)(nil)

// A place is where one Chrome is wanted.
type place struct {
	number    int
	browser   *chromium // nil: none
	starting  bool
	fails     int       // starts, and lives without a picture, in a row
	notBefore time.Time // the next start
	err       error     // of the last start
	starts    int
}

// Open checks that this machine has a Chrome that draws, in a sandbox, and
// starts the first of the pool; the others start with the work. An error of
// code Surroundings says what the machine lacks. files is asked for the assets
// of pages as long as the pool is open. The caller must Close the pool.
func Open(ctx context.Context, cfg Config, files Files, o Options) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	browsers, err := cfg.browsers()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	l, err := newLauncher(cfg, files, o)
	if err != nil {
		return nil, err
	}
	p := &Pool{launcher: l, options: o, idle: cfg.Idle.Std(), live: map[*chromium]bool{}, quiet: make(chan struct{})}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	for i := range browsers {
		p.places = append(p.places, &place{number: i})
	}
	first, err := l.launch(ctx, 0)
	if err != nil {
		p.end()
		l.egress.close()
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(p.places[0], first)
	return p, nil
}

func newLauncher(cfg Config, files Files, o Options) (*launcher, error) {
	path, err := Find(cfg.Chrome)
	if err != nil {
		return nil, err
	}
	a, err := accountFor(cfg.User)
	if err != nil {
		return nil, err
	}
	l := &launcher{path: path, account: a, sandbox: cfg.Sandbox != SandboxNone, dir: o.Dir, tabs: o.Tabs, limit: startLimit, log: o.Log}
	if l.dir == "" {
		l.dir = profileFolder()
	}
	for _, dir := range []string{l.dir, memoryFolder, os.TempDir()} {
		removeStale(dir, o.Log)
	}
	if !l.sandbox {
		o.Log.Warn("Chrome runs without its sandbox: a page that breaks out of Chrome has this machine",
			slog.String("setting", "render.sandbox: none"))
	}
	if err := adoptOrphans(); err != nil {
		return nil, fmt.Errorf("adopt Chrome's orphans: %w", err)
	}
	l.egress, err = newEgress(files, o.Log)
	return l, err
}

// Slots is how many pictures the pool makes at a time.
func (p *Pool) Slots() int { return len(p.places) * p.options.Tabs }

// maxEdge is the longest edge of a picture: above it Chrome repeats itself,
// and WebP can't be longer either.
const (
	maxEdge   = 16383
	maxPixels = 100_000_000
)

func checkRequest(r render.Request) error {
	if r.Width < 1 || r.Height < 1 || r.Width > maxEdge || r.Height > maxEdge || r.Width*r.Height > maxPixels {
		return retry.Permanent(problem.New(problem.Invalid, "a picture of %dx%d can't be made", r.Width, r.Height).
			WithSlug(SlugRenderSize).WithHint("use edges of 1 to %d pixels and at most %d megapixels", maxEdge, maxPixels/1_000_000))
	}
	if r.Quality < 0 || r.Quality > 100 {
		return retry.Permanent(problem.New(problem.Invalid, "quality %d is not within 1 and 100", r.Quality))
	}
	switch r.Format {
	case render.PNG, render.JPEG, render.WebP:
		return nil
	}
	return retry.Permanent(problem.New(problem.Unsupported, "format %q can't be made from a page", r.Format).
		WithHint("use png, jpeg or webp"))
}

// Render makes one picture. A row that went down with its Chrome is tried once
// more, alone in another one; what goes wrong there is its own fault.
func (p *Pool) Render(ctx context.Context, r render.Request) (render.Output, error) {
	if err := checkRequest(r); err != nil {
		return render.Output{}, err
	}
	w := &waiter{key: keyOf(r)}
	for {
		st, err := p.acquire(ctx, w)
		if err != nil {
			return render.Output{}, err
		}
		out, err := p.try(ctx, st, r)
		if err == nil {
			return out, nil
		}
		if w, err = p.again(ctx, w, st, err); err != nil {
			return render.Output{}, err
		}
	}
}

// bystanding is how often a row may go down because of others before it is
// given back to whoever sent it.
const bystanding = 3

// again says how a row whose try ended with err goes on: as another waiter, or
// with the error that is final.
func (p *Pool) again(ctx context.Context, w *waiter, st *seat, err error) (*waiter, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case retry.IsPermanent(err):
		return nil, err
	case p.ended():
		return nil, ErrClosed
	case errors.Is(err, errBystander) && w.bystander < bystanding:
		return &waiter{key: w.key, alone: w.alone, bystander: w.bystander + 1}, nil
	case !w.alone:
		p.options.Log.Warn("a picture is tried in another Chrome", slog.Any("err", err))
		return &waiter{key: w.key, alone: true, avoid: st.browser}, nil
	case isCrash(err):
		return nil, twice(err)
	}
	return nil, err
}

// try draws r in a seat and gives the seat back.
func (p *Pool) try(ctx context.Context, st *seat, r render.Request) (render.Output, error) {
	began := time.Now()
	bounded, cancel := context.WithTimeoutCause(ctx, p.options.Deadline, errHung)
	defer cancel()
	out, err := st.draw(bounded, p.launcher.egress, r)
	if err == nil {
		p.release(st, true)
		out.Duration = time.Since(began)
		return out, nil
	}
	if ctx.Err() == nil && errors.Is(context.Cause(bounded), errHung) {
		err = errHung
		p.killFor(st)
	}
	err = p.verdict(st, err)
	// A tab that failed is not used again, and closing it may take a while.
	p.work.Go(func() {
		st.clear()
		p.release(st, false)
	})
	return render.Output{}, err
}

// killFor ends a browser because of the row in a seat.
func (p *Pool) killFor(st *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st.browser.killedBy == nil {
		st.browser.killedBy = st
	}
	st.browser.proc.kill()
}

// verdict tells whose fault it is that a row failed.
func (p *Pool) verdict(st *seat, err error) error {
	if retry.IsPermanent(err) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch by := st.browser.killedBy; {
	case by == st:
		return errHung
	case by != nil:
		return errBystander
	case !st.browser.alive():
		return fmt.Errorf("%w: %w", errBrowserDied, err)
	}
	return err
}

// draw opens the seat's session where it has not the right one, and draws.
func (st *seat) draw(ctx context.Context, e *egress, r render.Request) (render.Output, error) {
	if st.session != nil && st.session.key == keyOf(r) {
		out, err := st.session.draw(ctx, r)
		if !errors.Is(err, errOtherBytes) {
			return out, err
		}
	}
	st.clear()
	s, err := openSession(ctx, st.browser.root, e, keyOf(r))
	if err != nil {
		return render.Output{}, err
	}
	st.session = s
	return s.draw(ctx, r)
}

// clear closes the seat's session.
func (st *seat) clear() {
	if st.session != nil {
		st.session.close()
		st.session = nil
	}
}

func (p *Pool) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Close takes no more work, gives what is in hand until ctx ends, and then
// ends every Chrome. When it returns no process and no profile of the pool is
// left.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	if p.resting != nil {
		p.resting.Stop()
	}
	for _, w := range p.waiting {
		w.answer <- turn{err: ErrClosed}
	}
	p.waiting = nil
	if p.busy == 0 {
		close(p.quiet)
	}
	p.mu.Unlock()

	select {
	case <-p.quiet:
	case <-ctx.Done():
	}
	p.end()
	p.killAll()
	p.work.Wait()
	p.launcher.egress.close()
	return nil
}
