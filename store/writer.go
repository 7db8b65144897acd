package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
)

// A change is a piece of work in a transaction. It may be run more than once,
// so that it sets what it returns anew each time.
type change func(ctx context.Context, t *tx) error

// A writer runs changes and answers when they are durable.
type writer interface {
	write(ctx context.Context, c change) error
	close()
}

// write runs c in a transaction. When it is committed, the workers whose turns
// it added are woken and the change feed is told.
func (s *Store) write(ctx context.Context, c change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.writer.write(ctx, func(ctx context.Context, t *tx) error {
		if err := c(ctx, t); err != nil {
			return err
		}
		if len(t.renewed) > 0 {
			t.after = append(t.after, func() { s.renewed(ctx, t.renewed) })
		}
		if err := t.tellNews(ctx); err != nil {
			return err
		}
		if err := t.addTurns(ctx); err != nil {
			return err
		}
		return t.keepCounts(ctx)
	})
	return s.explain(err)
}

// committed is called once for each transaction that took effect.
func (s *Store) committed(changes ...*tx) {
	for _, t := range changes {
		for _, queue := range t.ring {
			s.bell.ring(queue)
		}
		for _, after := range t.after {
			after()
		}
	}
	s.feed.tell()
	s.hint(changes)
}

// A serialWriter is SQLite's: one goroutine writes, and the writers that wait
// while it does share the next commit, which costs one fsync however many they are.
type serialWriter struct {
	store   *Store
	waiting chan *pending
	closed  chan struct{}
	ended   chan struct{}

	commits atomic.Int64
}

// A pending is a change that the writer has taken over. Its context may have
// ended while it waited, but cannot end while it runs: SQLite answers an
// interrupted statement by undoing the whole transaction, which belongs to
// others too.
type pending struct {
	run    func(tx *sql.Tx) (*tx, error)
	answer chan error
	tx     *tx
}

// shareLimit is how many changes share a commit at most.
const shareLimit = 64

var errClosed = errors.New("the store is closed")

func newSerialWriter(s *Store) *serialWriter {
	w := &serialWriter{store: s, waiting: make(chan *pending), closed: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

func (w *serialWriter) close() {
	close(w.closed)
	<-w.ended
}

func (w *serialWriter) write(ctx context.Context, c change) error {
	unbroken := context.WithoutCancel(ctx)
	p := &pending{answer: make(chan error, 1), run: func(raw *sql.Tx) (*tx, error) {
		t := w.store.newTx(raw)
		return t, c(unbroken, t)
	}}
	select {
	case w.waiting <- p:
		return <-p.answer
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closed:
		return errClosed
	}
}

func (w *serialWriter) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.closed:
			return
		case p := <-w.waiting:
			w.share(p)
		}
	}
}

// share commits first together with whoever waits.
func (w *serialWriter) share(first *pending) {
	tx, err := w.store.db.BeginTx(context.Background(), nil)
	if err != nil {
		first.answer <- err
		return
	}
	var done []*pending
	for p := first; p != nil; p = w.next(len(done)) {
		err := w.savepoint(tx, p)
		if broken := new(brokenTxError); errors.As(err, &broken) {
			_ = tx.Rollback()
			p.answer <- broken.err
			w.alone(done)
			return
		}
		if err != nil {
			p.answer <- err
			continue
		}
		done = append(done, p)
	}
	w.commit(tx, done)
}

func (w *serialWriter) next(done int) *pending {
	if done >= shareLimit {
		return nil
	}
	select {
	case p := <-w.waiting:
		return p
	default:
		return nil
	}
}

// alone runs again, each by itself, changes that were undone through another's
// fault.
func (w *serialWriter) alone(undone []*pending) {
	for _, p := range undone {
		tx, err := w.store.db.BeginTx(context.Background(), nil)
		if err != nil {
			p.answer <- err
			continue
		}
		if err := w.savepoint(tx, p); err != nil {
			_ = tx.Rollback()
			p.answer <- err
			continue
		}
		w.commit(tx, []*pending{p})
	}
}

func (w *serialWriter) commit(tx *sql.Tx, done []*pending) {
	err := w.store.lately.during(tx.Commit)
	if err == nil {
		w.commits.Add(1)
		for _, p := range done {
			w.store.committed(p.tx)
		}
	} else {
		_ = tx.Rollback()
	}
	for _, p := range done {
		p.answer <- err
	}
}

// A brokenTxError says that the transaction as a whole was undone.
type brokenTxError struct{ err error }

func (e *brokenTxError) Error() string { return e.err.Error() }
func (e *brokenTxError) Unwrap() error { return e.err }

// savepoint runs p such that its failure undoes nothing else.
func (w *serialWriter) savepoint(tx *sql.Tx, p *pending) error {
	step := func(statement string) error {
		_, err := tx.ExecContext(context.Background(), statement)
		return err
	}
	if err := step(`SAVEPOINT change`); err != nil {
		return &brokenTxError{err}
	}
	var err error
	if p.tx, err = p.run(tx); err != nil {
		if step(`ROLLBACK TO change`) != nil || step(`RELEASE change`) != nil {
			return &brokenTxError{err}
		}
		return err
	}
	if err := step(`RELEASE change`); err != nil {
		return &brokenTxError{err}
	}
	return nil
}

// A parallelWriter is Postgres's: each change has its own transaction, and is
// run again when the server undid it for the sake of another.
type parallelWriter struct{ store *Store }

const conflictTries = 8

func (w *parallelWriter) close() {}

func (w *parallelWriter) write(ctx context.Context, c change) error {
	err := w.store.reckoned(ctx)
	if err != nil {
		return err
	}
	for range conflictTries {
		err = w.once(ctx, c)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, errMoved):
			if err := w.store.loadRoutes(ctx); err != nil {
				return err
			}
		case !isConflict(err):
			return err
		}
	}
	return fmt.Errorf("write in the store, %d times: %w", conflictTries, err)
}

func (w *parallelWriter) once(ctx context.Context, c change) error {
	raw, err := w.store.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Rollback() }()
	t := w.store.newTx(raw)
	if err := c(ctx, t); err != nil {
		return err
	}
	if err := w.store.lately.during(raw.Commit); err != nil {
		return err
	}
	w.store.committed(t)
	return nil
}
