package rendertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// Null is a renderer that draws nothing: the bytes of an output are the
// Fingerprint of its request. Its zero value is ready for use. The fields must
// not change after the first Render.
type Null struct {
	Delay    time.Duration                                          // what each picture takes
	Parallel int                                                    // Slots; 0 means 4
	FailFunc func(ctx context.Context, r render.Request) error      // when not nil, called for each request; its error is the answer
	DoneFunc func(ctx context.Context, r render.Request, err error) // when not nil, called as each Render ends

	once  sync.Once
	turns chan struct{}

	mu       sync.Mutex
	requests []render.Request
	failed   int
	running  int
	peak     int
}

var _ render.Renderer = (*Null)(nil)

// Fingerprint is the SHA-256 of r in hex: equal requests have equal ones.
func Fingerprint(r render.Request) string {
	r.Urgent = false    // the picture is the same
	if r.Layout != "" { // it is long, and the same in most
		r.Layout = fmt.Sprint(crc32.ChecksumIEEE([]byte(r.Layout)))
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("marshal request: %v", err)) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Slots is Parallel, or 4.
func (n *Null) Slots() int {
	if n.Parallel > 0 {
		return n.Parallel
	}
	return 4
}

// Render waits for a turn and for Delay, asks FailFunc, and answers with the
// fingerprint of r.
func (n *Null) Render(ctx context.Context, r render.Request) (out render.Output, err error) {
	if n.DoneFunc != nil {
		defer func() { n.DoneFunc(ctx, r, err) }()
	}
	n.once.Do(func() { n.turns = make(chan struct{}, n.Slots()) })
	select {
	case n.turns <- struct{}{}:
	case <-ctx.Done():
		return render.Output{}, ctx.Err()
	}
	defer func() { <-n.turns }()
	n.begin(r)
	defer func() { n.end(err) }()
	began := time.Now()
	if err := n.work(ctx, r); err != nil {
		return render.Output{}, err
	}
	return render.Output{
		Bytes: []byte(Fingerprint(r)), Width: r.Width, Height: r.Height, Duration: time.Since(began),
	}, nil
}

func (n *Null) work(ctx context.Context, r render.Request) error {
	if n.Delay > 0 {
		timer := time.NewTimer(n.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.FailFunc != nil {
		return n.FailFunc(ctx, r)
	}
	return nil
}

func (n *Null) begin(r render.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, r)
	n.running++
	n.peak = max(n.peak, n.running)
}

func (n *Null) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running--
	if err != nil {
		n.failed++
	}
}

// Requests is every request that got a turn, in order.
func (n *Null) Requests() []render.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]render.Request(nil), n.requests...)
}

// Count is how many requests got a turn.
func (n *Null) Count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.requests)
}

// Failed is how many of those ended with an error.
func (n *Null) Failed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failed
}

// Peak is the largest number of requests that had a turn at one time.
func (n *Null) Peak() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peak
}
