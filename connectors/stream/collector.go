package stream

import (
	"context"
	"sync"

	"github.com/pictifyd/pictifyd/connectors"
)

// The bounds of a batch unless Options say otherwise.
const (
	defaultRows  = 2000
	defaultBytes = 8 << 20
)

// Options of a Collector.
type Options struct {
	Rows  int // that a batch has at most, with its faults
	Bytes int // that a batch has at most, as Add was told
	// CommittedFunc hears of each cursor that was committed, in order: what stands
	// before it may be acknowledged. It must not block for long.
	CommittedFunc func(connectors.Cursor)
}

// A Collector commits what a stream brings in batches: while one is committed the
// next one grows, so that a change that comes alone waits for nobody, and many
// share a commit. At most two batches are in memory.
type Collector struct {
	emit connectors.Emit
	o    Options

	mu     sync.Mutex
	grows  connectors.Batch
	bytes  int
	closes connectors.Closing
	added  uint64 // parts that were added
	taken  uint64 // of those, that are being committed, or are
	done   uint64 // of those, that are committed
	room   chan struct{}
	work   chan struct{}
	err    error // why nothing more is committed
}

// NewCollector makes a Collector; Run makes it work.
func NewCollector(emit connectors.Emit, o Options) *Collector {
	if o.Rows == 0 {
		o.Rows = defaultRows
	}
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
	}
	return &Collector{emit: emit, o: o, room: make(chan struct{}), work: make(chan struct{}, 1)}
}

// A Part is what is added at once. It is never divided, so that its cursor stands
// behind all of it.
type Part struct {
	Rows   []connectors.Row
	Faults []connectors.Fault
	Wakes  [][]any
	Bytes  int // of memory, about
	// Closes is as in Batch; its cursor may be nil, where none may be kept here.
	Closes connectors.Closing
}

// Add has p committed after all that was added before. It blocks while a whole
// batch waits. An error is why an older part could not be committed.
func (c *Collector) Add(ctx context.Context, p Part) error {
	for {
		c.mu.Lock()
		if c.err != nil {
			defer c.mu.Unlock()
			return c.err
		}
		size := len(c.grows.Rows) + len(c.grows.Faults) + len(c.grows.Wakes)
		fits := size == 0 || size+len(p.Rows)+len(p.Faults)+len(p.Wakes) <= c.o.Rows && c.bytes+p.Bytes <= c.o.Bytes
		if c.added == c.taken || fits && c.joins(p.Closes) {
			c.take(p)
			c.mu.Unlock()
			return nil
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// joins reports whether what closes with a mark of its own may share a batch with
// what stands before it: a snapshot begins with its batch, and ends with it.
func (c *Collector) joins(closing connectors.Closing) bool {
	return c.closes.Snapshot == (connectors.SnapshotMark{}) && closing.Snapshot == (connectors.SnapshotMark{}) && (closing.Gap == "" || closing.Gap == c.closes.Gap)
}

// take adds p to the batch that grows. The caller holds mu.
func (c *Collector) take(p Part) {
	for _, f := range p.Faults {
		f.Behind += len(c.grows.Rows)
		c.grows.Faults = append(c.grows.Faults, f)
	}
	c.grows.Rows = append(c.grows.Rows, p.Rows...)
	c.grows.Wakes = append(c.grows.Wakes, p.Wakes...)
	c.bytes += p.Bytes
	cursor := p.Closes.Cursor
	if cursor == nil {
		cursor = c.closes.Cursor
	}
	gap := c.closes.Gap
	c.closes = p.Closes
	c.closes.Cursor = cursor
	if c.closes.Gap == "" {
		c.closes.Gap = gap
	}
	c.added++
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// Run commits until ctx ends, then returns nil, or until a batch is refused.
func (c *Collector) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			c.end(ctx.Err())
			return nil
		case <-c.work:
		}
		if err := c.commit(ctx); err != nil {
			c.end(err)
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// commit commits what has grown.
func (c *Collector) commit(ctx context.Context) error {
	c.mu.Lock()
	if c.added == c.taken {
		c.mu.Unlock()
		return nil
	}
	b, closes, upTo := c.grows, c.closes, c.added
	b.Closes = &closes
	c.grows, c.bytes, c.closes, c.taken = connectors.Batch{}, 0, connectors.Closing{}, upTo
	c.mu.Unlock()
	c.wake() // the next batch may grow
	if err := c.emit(ctx, b); err != nil {
		return err
	}
	if closes.Cursor != nil && c.o.CommittedFunc != nil {
		c.o.CommittedFunc(closes.Cursor)
	}
	c.mu.Lock()
	c.done = upTo
	c.mu.Unlock()
	c.wake() // whoever waits in Flush
	return nil
}

// Flush waits until all that was added before is committed.
func (c *Collector) Flush(ctx context.Context) error {
	c.mu.Lock()
	upTo := c.added
	c.mu.Unlock()
	for {
		c.mu.Lock()
		if c.done >= upTo || c.err != nil {
			defer c.mu.Unlock()
			return c.err
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end has everybody who waits return err.
func (c *Collector) end(err error) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	c.wake()
}

// wake wakes whoever waits, to look again.
func (c *Collector) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.room)
	c.room = make(chan struct{})
}
