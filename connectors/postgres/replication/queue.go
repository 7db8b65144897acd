package replication

import (
	"context"
	"sync"
)

// queueBytes is how much a block of a queue holds before the connection is read no
// further; there are two of them.
const queueBytes = 4 << 20

// A block is messages in one piece, in the order in which they came.
type block struct {
	data []byte
	ends []int
	lsns []LSN
	next int
}

func (b *block) reset() {
	if cap(b.data) > 4*queueBytes { // of one message that was as large
		b.data = nil
	}
	b.data, b.ends, b.lsns, b.next = b.data[:0], b.ends[:0], b.lsns[:0], 0
}

// A queue hands messages from the one goroutine that reads them to the one that
// wants them.
type queue struct {
	mu    sync.Mutex
	grows *block
	err   error // after which nothing comes

	ready chan struct{} // something grows, or err is set
	room  chan struct{} // what grew was taken
	done  chan struct{} // nobody wants anything more

	given *block // of the goroutine that calls get
}

func newQueue() *queue {
	return &queue{
		grows: &block{}, given: &block{}, done: make(chan struct{}),
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// put adds a copy of message. It waits while there is too much, and reports false
// once nobody wants it.
func (q *queue) put(message []byte, at LSN) bool {
	for {
		q.mu.Lock()
		if b := q.grows; len(b.data) < queueBytes {
			b.data = append(b.data, message...)
			b.ends = append(b.ends, len(b.data))
			b.lsns = append(b.lsns, at)
			q.mu.Unlock()
			signal(q.ready)
			return true
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-q.done:
			return false
		}
	}
}

// end has get return err when all that came before was taken.
func (q *queue) end(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	signal(q.ready)
}

// get is the next message; it is valid until the next call.
func (q *queue) get(ctx context.Context) (message []byte, at LSN, err error) {
	for q.given.next == len(q.given.ends) {
		q.mu.Lock()
		if len(q.grows.ends) > 0 {
			q.given, q.grows = q.grows, q.given
			q.grows.reset()
			q.mu.Unlock()
			signal(q.room)
			break
		}
		err := q.err
		q.mu.Unlock()
		if err != nil {
			return nil, 0, err
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	b, from := q.given, 0
	if b.next > 0 {
		from = b.ends[b.next-1]
	}
	message, at = b.data[from:b.ends[b.next]], b.lsns[b.next]
	b.next++
	return message, at, nil
}

// waiting reports whether get would answer at once.
func (q *queue) waiting() bool {
	if q.given.next < len(q.given.ends) {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.grows.ends) > 0 || q.err != nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
