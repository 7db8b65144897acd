package chrome

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
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

	mu       sync.Mutex
	closed   bool
	places   []*place
	waiting  []*waiter
	turns    int64
	asked    atomic.Int64 // rows that callers sent
	busy     int
	stages   bool // the Chromes can draw pages in canvases
	ledger   ledger
	pace     pace               // nil until measured
	measures bool               // the pace in the next rest
	live     map[*chromium]bool // with a place, or with their last rows in hand
	quiet    chan struct{}      // closed when closed and nothing is in hand
	resting  *time.Timer        // until Chromes are stopped for want of work
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

// checkedIdle is how long the Chrome that Open started stays when nothing is asked of it.
const checkedIdle = 10 * time.Second

// Open checks that this machine has a Chrome that draws, in a sandbox. The
// Chromes of the pool start with the work, and stop some time after it. An error of
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
	o.Plain = o.Plain || cfg.Lane == lanePlain
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
	p.recall(first.version)
	p.restFor(min(p.idle, checkedIdle))
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
func (p *Pool) Slots() int { return len(p.places) * p.options.Tabs * maxSlots }

// maxEdge is the longest edge of a picture: above it Chrome repeats itself,
// and WebP can't be longer either.
const (
	maxEdge   = 16383
	maxPixels = 100_000_000
	maxScale  = 3
)

func checkRequest(r render.Request) error {
	if err := checkSize(keyOf(r).pixels()); err != nil {
		return err
	}
	if err := checkParts(r); err != nil {
		return err
	}
	if r.Format == render.PDF {
		return checkPrint(r)
	}
	if r.Quality < 0 || r.Quality > 100 {
		return retry.Permanent(problem.New(problem.Invalid, "quality %d is not within 1 and 100", r.Quality))
	}
	if scale := scaleOf(r); !(scale >= 1 && scale <= maxScale) {
		return retry.Permanent(problem.New(problem.Invalid, "the scale %g is not within 1 and %d", r.Scale, maxScale).WithSlug(SlugRenderSize))
	}
	switch r.Format {
	case render.PNG, render.JPEG, render.WebP, render.GIF:
		return nil
	}
	return retry.Permanent(problem.New(problem.Unsupported, "format %q can't be made from a page", r.Format).
		WithHint("use png, jpeg, webp, gif or pdf"))
}

func checkSize(width, height int) error {
	if width < 1 || height < 1 || width > maxEdge || height > maxEdge || width*height > maxPixels {
		return retry.Permanent(problem.New(problem.Invalid, "a picture of %dx%d can't be made", width, height).
			WithSlug(SlugRenderSize).WithHint("use edges of 1 to %d pixels and at most %d megapixels", maxEdge, maxPixels/1_000_000))
	}
	return nil
}

// Render makes one picture. A row that went down with its Chrome is tried once
// more, alone in another one; what goes wrong there is its own fault.
func (p *Pool) Render(ctx context.Context, r render.Request) (render.Output, error) {
	if err := checkRequest(r); err != nil {
		return render.Output{}, err
	}
	p.asked.Add(1)
	return p.finish(ctx, newWaiter(ctx, r))
}

// finish sees w through all its tries.
func (p *Pool) finish(ctx context.Context, w *waiter) (render.Output, error) {
	for {
		res, err := p.try(ctx, w)
		if err != nil {
			return render.Output{}, err
		}
		if res.err == nil {
			return res.out, nil
		}
		if w, err = p.again(ctx, w, res); err != nil {
			return render.Output{}, err
		}
	}
}

// try waits for a seat and for what comes of w in it. The error is that of who
// waits, or of a pool without seats.
func (p *Pool) try(ctx context.Context, w *waiter) (result, error) {
	if err := ctx.Err(); err != nil {
		return result{}, err
	}
	if err := p.enqueue(w); err != nil {
		return result{}, err
	}
	for {
		select {
		case t := <-w.turn:
			if t.err != nil {
				return result{}, t.err
			}
			go p.run(t)
		case res := <-w.result:
			return res, nil
		case <-ctx.Done():
			p.withdraw(w)
			return result{}, ctx.Err()
		}
	}
}

// bystanding is how often a row may go down because of others before it is
// given back to whoever sent it.
const bystanding = 3

// again says how a row whose try failed goes on: as another waiter, or with the
// error that is final.
func (p *Pool) again(ctx context.Context, w *waiter, res result) (*waiter, error) {
	next := w.retried()
	switch err := res.err; {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case retry.IsPermanent(err):
		return nil, err
	case p.ended():
		return nil, ErrClosed
	case errors.Is(err, errTogether) && !w.single:
		next.single = true
	case errors.Is(err, errBystander) && w.bystander < bystanding:
		next.bystander++
	case !w.alone:
		p.options.Log.Warn("a picture is tried in another Chrome", slog.Any("err", err))
		next.alone, next.avoid = true, res.seat.browser
	case isCrash(err):
		return nil, twice(err)
	default:
		return nil, err
	}
	return next, nil
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
		w.turn <- turn{err: ErrClosed}
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
