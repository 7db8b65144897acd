package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Bounds are how long an endpoint may be silent and how much it may say. Zero
// values are the defaults.
type Bounds struct {
	First time.Duration // until the first byte of an answer; 5 minutes: a local model loads
	Idle  time.Duration // between two bytes of it; 1 minute
	Bytes int64         // of one answer as it comes; 16 MiB
	Reply int           // of the text and the arguments in it; 1 MiB
}

// WithDefaults is b with its zero values set.
func (b Bounds) WithDefaults() Bounds {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&b.First, 5*time.Minute)
	set(&b.Idle, time.Minute)
	if b.Bytes <= 0 {
		b.Bytes = 16 << 20
	}
	if b.Reply <= 0 {
		b.Reply = 1 << 20
	}
	return b
}

// What ends an answer that is out of bounds.
var (
	ErrSilent   = errors.New("the endpoint was silent for too long")
	ErrTooLarge = errors.New("the answer is larger than it may be")
)

// Client is c, http.DefaultClient where nil, with every answer in bounds. It
// follows no redirect: the key would be carried to wherever it points.
func (b Bounds) Client(c *http.Client) *http.Client {
	bounded := http.Client{}
	if c != nil {
		bounded = *c
	}
	next := bounded.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	bounded.Transport = &transport{next: next, bounds: b.WithDefaults()}
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	bounded.Jar = nil
	return &bounded
}

type transport struct {
	next   http.RoundTripper
	bounds Bounds
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	first := time.AfterFunc(t.bounds.First, func() { cancel(ErrSilent) })
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		first.Stop()
		err = why(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &body{inner: resp.Body, ctx: ctx, cancel: cancel, timer: first, idle: t.bounds.Idle, left: t.bounds.Bytes}
	return resp, nil
}

// why is the cause that ended ctx if there is one, else err.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrSilent) {
		return cause
	}
	return err
}

// A body ends its request when nothing comes for too long, or too much. Its time
// runs only while somebody waits in Read.
type body struct {
	inner  io.ReadCloser
	ctx    context.Context //nolint:containedctx // of the one request that it answers
	cancel context.CancelCauseFunc
	timer  *time.Timer // until the first byte; from then on between two
	idle   time.Duration
	begun  bool
	left   int64
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	if b.begun {
		b.timer.Reset(b.idle)
	}
	n, err := b.inner.Read(p)
	if n > 0 || err != nil {
		b.begun = true
		b.timer.Stop()
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = why(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.inner.Close()
	b.cancel(nil)
	return err
}
