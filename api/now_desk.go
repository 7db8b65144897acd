package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// An Easel draws for callers who wait.
type Easel interface {
	// Epoch is that of fingerprints.
	Epoch(ctx context.Context) (int64, error)
	// Compile compiles a document that is no version of a template. Its error is a
	// problem.List with positions in the document.
	Compile(ctx context.Context, doc *bindings.Document) (bindings.Template, error)
	// Draw finds the picture of w, or makes it and keeps it durably, before batches
	// that wait. may is asked before one is made; its error is returned as it is.
	// When ctx ends and nobody else waits, the drawing ends. A fault of the row is
	// in Drawn; an error is the machine's.
	Draw(ctx context.Context, w bindings.Want, may func() error) (Drawn, error)
}

// A Drawn is a picture that is kept, or why there is none.
type Drawn struct {
	Hash, Ext     string
	Bytes         int64
	Width, Height int
	Duration      time.Duration // in the engine, when it was made
	At            time.Time     // it was made
	Cached        bool          // it was there
	Fitting       bindings.Fitting
	Problem       *bindings.Problem
}

// NowConfig bounds what is made while its caller waits.
type NowConfig struct {
	AtOnce     int             `yaml:"at_once"`     // requests in work; more are answered 503. 0 is 64
	Timeout    config.Duration `yaml:"timeout"`     // of one request, answered 504 then; 0 is 30s
	PerURLKey  int             `yaml:"per_url_key"` // pictures a minute that signed addresses of one key may have made; 0 is 600
	PerAddress int             `yaml:"per_address"` // and those of one client; 0 is 120
}

func (c NowConfig) validate() (list problem.List) {
	for name, n := range map[string]int64{
		"at_once": int64(c.AtOnce), "timeout": int64(c.Timeout), "per_url_key": int64(c.PerURLKey), "per_address": int64(c.PerAddress),
	} {
		if n < 0 {
			list = append(list, problem.New(problem.Invalid, "this must not be negative").At("now."+name))
		}
	}
	return list
}

const (
	nowAtOnce     = 64
	nowTimeout    = 30 * time.Second
	nowPerURLKey  = 600
	nowPerAddress = 120

	// A request that waits for a live row costs little: few of them ask the source.
	liveSeats = 16

	slugBusy       = "too_busy"
	slugRenderRate = "render_rate"
	slugSignature  = "signature_invalid"
	slugExpired    = "signature_expired"
)

// A nowDesk lets in requests for pictures that are made at once.
type nowDesk struct {
	places  chan struct{}
	seats   chan struct{} // of those who wait for a row and its picture, many of them for the same
	timeout time.Duration

	perKey, perClient *buckets
}

func newNowDesk(cfg Config) *nowDesk {
	or := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	d := &nowDesk{
		places: make(chan struct{}, or(cfg.Now.AtOnce, nowAtOnce)), timeout: cfg.Now.Timeout.Std(),
		perKey: newBuckets(or(cfg.Now.PerURLKey, nowPerURLKey)), perClient: newBuckets(or(cfg.Now.PerAddress, nowPerAddress)),
	}
	d.seats = make(chan struct{}, liveSeats*cap(d.places))
	if d.timeout == 0 {
		d.timeout = nowTimeout
	}
	return d
}

// enter takes a place and bounds the time there; leave gives it back. No place
// is a problem that says when to come again.
func (d *nowDesk) enter(ctx context.Context) (within context.Context, leave func(), err error) {
	return enterBy(ctx, d.places, d.timeout)
}

func enterBy(ctx context.Context, places chan struct{}, timeout time.Duration) (within context.Context, leave func(), err error) {
	select {
	case places <- struct{}{}:
	default:
		return nil, nil, retry.After(problem.New(problem.Overloaded, "%d requests for pictures are in work, and no more are taken", cap(places)).
			WithSlug(slugBusy).WithHint("ask again after the seconds of Retry-After, or send many rows as a batch"), time.Second)
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	return within, func() { cancel(); <-places }, nil
}

// late is err in the words of a request whose time is over.
func (d *nowDesk) late(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return retry.After(problem.New(problem.Timeout, "the picture was not there within %s", d.timeout).WithHint("ask again"), time.Second)
	}
	return err
}

// buckets are token buckets by name, of so many a minute.
type buckets struct {
	perMinute int

	mu  sync.Mutex
	all map[string]*rate.Limiter
}

// maxBuckets is how many are kept; those that are full again are no loss.
const maxBuckets = 10_000

func newBuckets(perMinute int) *buckets {
	return &buckets{perMinute: perMinute, all: map[string]*rate.Limiter{}}
}

// take takes a token of name, or says how long there is none.
func (b *buckets) take(name string, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, known := b.all[name]
	if !known {
		if len(b.all) >= maxBuckets {
			b.forgetFull(now)
		}
		l = rate.NewLimiter(rate.Limit(float64(b.perMinute)/60), b.perMinute)
		b.all[name] = l
	}
	r := l.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (b *buckets) forgetFull(now time.Time) {
	for name, l := range b.all {
		if l.TokensAt(now) >= float64(b.perMinute) {
			delete(b.all, name)
		}
	}
	if len(b.all) >= maxBuckets { // so many clients at a time: all begin anew
		clear(b.all)
	}
}

// mayDraw counts a picture on the key that signed for it and on the client.
func (d *nowDesk) mayDraw(key, client string) func() error {
	return func() error {
		now := time.Now()
		for _, b := range []struct {
			of   *buckets
			name string
			who  string
		}{{d.perClient, client, "your address"}, {d.perKey, key, "this key"}} {
			if wait, ok := b.of.take(b.name, now); !ok {
				return retry.After(problem.New(problem.Overloaded, "%s had %d pictures made in a minute, and may have no more", b.who, b.of.perMinute).
					WithSlug(slugRenderRate).WithHint("pictures that are there are served; ask for new ones after the seconds of Retry-After"), wait)
			}
		}
		return nil
	}
}

// mayAsk counts a key that no row has on the client that asks for it; nil for
// whoever has a key of the API.
func (s *Server) mayAsk(r *http.Request, b Binding) func() error {
	if !b.Public && !s.signed(r) {
		return nil
	}
	return func() error {
		if wait, ok := s.now.perClient.take(clientOf(r), time.Now()); !ok {
			return retry.After(problem.New(problem.Overloaded, "your address asked for %d new images in a minute, and may ask for no more", s.now.perClient.perMinute).
				WithSlug(slugRenderRate).WithHint("images of known rows are served; ask for new ones after the seconds of Retry-After"), wait)
		}
		return nil
	}
}

// clientOf is the address that r comes from; of IPv6 the network, which is one
// client's.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if addr = addr.Unmap(); addr.Is6() {
		if network, err := addr.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
