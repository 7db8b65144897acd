package api

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	replayLife  = 24 * time.Hour
	replayLimit = 1000     // answers that are kept
	replayBody  = 64 << 10 // of a request that may be replayed

	replayAnswer = 64 << 10 // bytes of an answer that is kept where it can be made again
)

// replays are the answers to small requests that came with an Idempotency-Key,
// so that a request that is sent again does nothing again. They live as long as
// the process: what these requests do may be done twice without harm. Batches
// have their keys in the store.
type replays struct {
	mu sync.Mutex

	byKey map[string]*replay
	order []string // of their arrival
}

// A replay is one answer. mu is held while it is being made.
type replay struct {
	mu sync.Mutex

	made   time.Time // zero: not answered
	body   [sha256.Size]byte
	status int
	header http.Header
	answer []byte
	redo   bool // the answer was too large to keep, and is made again
}

func newReplays() *replays { return &replays{byKey: map[string]*replay{}} }

func (all *replays) of(key string) *replay {
	all.mu.Lock()
	defer all.mu.Unlock()
	if one, ok := all.byKey[key]; ok {
		return one
	}
	if len(all.order) == replayLimit {
		delete(all.byKey, all.order[0])
		all.order = all.order[1:]
	}
	one := &replay{}
	all.byKey[key] = one
	all.order = append(all.order, key)
	return one
}

// replayed is handle, done once per Idempotency-Key.
func replayed(handle handler) handler { return replayedTo(replayBody, handle) }

// replayedTo is replayed for bodies of up to limit bytes.
func replayedTo(limit int64, handle handler) handler { return replaying(limit, math.MaxInt, handle) }

// repeated is replayedTo where an answer that is too large to keep is made
// again: for what gives the same each time.
func repeated(limit int64, handle handler) handler { return replaying(limit, replayAnswer, handle) }

func replaying(limit int64, keep int, handle handler) handler {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			return smallBodyError(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		key, err := idempotencyKey(r)
		if err != nil {
			return err
		}
		if key == "" {
			return handle(s, w, r)
		}
		one := s.replays.of(r.URL.EscapedPath() + "\n" + key)
		one.mu.Lock()
		defer one.mu.Unlock()
		digest := sha256.Sum256(body)
		if !one.made.IsZero() && time.Since(one.made) < replayLife {
			if one.body != digest {
				return problem.New(problem.Conflict, "another request was answered under this Idempotency-Key").
					WithSlug(slugIdempotency).WithHint("use a new key for a new request")
			}
			if !one.redo {
				return one.send(w)
			}
		}
		record := &recorder{header: http.Header{}}
		if err := handle(s, record, r); err != nil {
			return err // the next one tries again
		}
		one.made, one.body = time.Now(), digest
		one.status, one.header, one.answer = record.status, record.header, record.body.Bytes()
		err = one.send(w)
		if one.redo = len(one.answer) > keep; one.redo {
			one.answer = nil
		}
		return err
	}
}

func (one *replay) send(w http.ResponseWriter) error {
	for name, values := range one.header {
		w.Header()[name] = values
	}
	w.WriteHeader(one.status)
	_, _ = w.Write(one.answer) // a client that has gone reads nothing
	return nil
}

func smallBodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return problem.New(problem.TooLarge, "the body is larger than %d bytes", large.Limit)
	}
	return problem.New(problem.Invalid, "the body broke off: %w", err).WithSlug(slugCutBody)
}

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }
