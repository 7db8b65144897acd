package store

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Processes on one ledger tell each other of what they have committed, so that a turn
// that one adds is taken by another at once, and whoever follows the ledger sees it. It
// is a hint: what is missed is found by the next look, within a second.

const (
	hintRest   = 20 * time.Millisecond // between two hints of a process
	hearAgain  = time.Second           // after a connection that broke
	hintLook   = "!"                   // something has another revision
	hintTarget = `'pictifyd ' || md5(current_schema())`
)

// hints are what a process has still to say.
type hints struct {
	mu    sync.Mutex
	words map[string]struct{}
	due   chan struct{}
}

func newHints() *hints { return &hints{words: map[string]struct{}{}, due: make(chan struct{}, 1)} }

// say has the others told: words are the queues that got turns, or hintLook. It never waits.
func (h *hints) say(words ...string) {
	h.mu.Lock()
	for _, w := range words {
		h.words[w] = struct{}{}
	}
	h.mu.Unlock()
	select {
	case h.due <- struct{}{}:
	default:
	}
}

func (h *hints) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	words := slices.Sorted(maps.Keys(h.words))
	clear(h.words)
	return words
}

// hint has the others hear of changes. A turn that another one takes the place of is
// this process's own matter: the others have theirs.
func (s *Store) hint(changes []*tx) {
	if !s.dialect.postgres || !s.lately.others.Load() {
		return
	}
	var words []string
	for _, t := range changes {
		for _, queue := range t.ring {
			if queue != t.endedTurn {
				words = append(words, queue)
			}
		}
		if t.raised {
			words = append(words, hintLook)
		}
	}
	s.hints.say(words...)
}

// hintUntil tells the others, and hears them, until ctx ends. wait returns when it has.
func (s *Store) hintUntil(ctx context.Context) (wait func()) {
	var wg sync.WaitGroup
	if s.dialect.postgres {
		wg.Go(func() { s.tellOthers(ctx) })
		wg.Go(func() { s.hearOthers(ctx) })
	}
	return wg.Wait
}

func (s *Store) tellOthers(ctx context.Context) {
	rest := time.NewTicker(hintRest)
	defer rest.Stop()
	for {
		select {
		case <-s.hints.due:
		case <-ctx.Done():
			return
		}
		// Where it fails, the next look finds it.
		_, _ = s.db.ExecContext(ctx, `SELECT pg_notify(`+hintTarget+`, $1)`, s.self.ID+" "+strings.Join(s.hints.take(), " "))
		select {
		case <-rest.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) hearOthers(ctx context.Context) {
	for ctx.Err() == nil && s.lock.err() == nil {
		if err := s.listenToOthers(ctx); err != nil && ctx.Err() == nil && s.lock.err() == nil {
			s.log.Debug("the connection broke on which the other processes are heard", slog.Any("err", err))
		}
		rest := time.NewTimer(hearAgain)
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
		case <-s.lock.lost():
			rest.Stop()
		}
	}
}

// listenToOthers has a connection of its own: what fills up while nobody reads must not be
// the session of the lock.
func (s *Store) listenToOthers(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.connects)
	if err != nil {
		return err
	}
	defer closeNow(conn)
	if err := s.admit(ctx, conn); err != nil {
		return err
	}
	var target string
	if err := conn.QueryRow(ctx, `SELECT `+hintTarget).Scan(&target); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{target}.Sanitize()); err != nil {
		return err
	}
	for {
		said, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if from, words, _ := strings.Cut(said.Payload, " "); from != s.self.ID {
			s.hear(strings.Fields(words))
		}
	}
}

// hear does what another process hints at.
func (s *Store) hear(words []string) {
	for _, w := range words {
		if w != hintLook {
			s.bell.ring(w)
			continue
		}
		select {
		case s.look <- struct{}{}:
		default:
		}
	}
	s.feed.tell()
}
