package api

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// Hooks takes in what is sent to sources.
type Hooks interface {
	// Receive takes in one call to the source of that path. The source itself asks
	// who calls. When it returned nil, what the call brings is durable; a message
	// that was taken before is no error and does nothing.
	Receive(path string, r *http.Request) (HookTaken, error)
}

// A HookTaken says what became of a call.
type HookTaken struct {
	Source      string
	Duplicate   bool // it was taken before
	Rows        int
	Quarantined []bindings.Quarantined
	Rereads     string // the source that is read because of it
}

const (
	// hookMemory is of the bodies that are being read, all together: their senders
	// may be nobody.
	hookMemory = 64 << 20
	// hookFaults is how many quarantined rows an answer names.
	hookFaults = 100

	hookAgain = 5 * time.Second
)

// A hookView is the answer to a call.
type hookView struct {
	Status           string        `json:"status"` // accepted, duplicate
	Source           string        `json:"source"`
	Rows             int           `json:"rows"`              // that were taken
	QuarantinedCount int           `json:"quarantinedCount"`  // rows that were not
	Quarantined      []keptOutView `json:"quarantined"`       // the first of them
	Refresh          string        `json:"refresh,omitempty"` // the source that is read because of it
}

// A keptOutView is a row that was not taken, and why.
type keptOutView struct {
	Position string `json:"position"`
	Key      string `json:"key,omitempty"`
	Reason   string `json:"reason"`
	Detail   string `json:"detail"`
}

func (s *Server) receiveHook(w http.ResponseWriter, r *http.Request) error {
	select {
	case <-s.closing:
		return retry.After(problem.New(problem.Overloaded, "pictifyd is being stopped").WithSlug(slugOverloaded), hookAgain)
	default:
	}
	body := &chargedBody{ReadCloser: r.Body, from: markedReader{r.Body}, room: &s.hookBytes}
	defer body.release()
	r.Body = body
	taken, err := s.deps.Hooks.Receive(r.PathValue("path"), r)
	if err != nil {
		return hookCutShort(err)
	}
	return answer(w, http.StatusOK, viewOfHook(taken))
}

// hookCutShort is the problem of a body that broke off on its way.
func hookCutShort(err error) error {
	if p, ok := cutShort(err).(*problem.Error); ok && p.Slug == slugCutBody { //nolint:errorlint // it is made there
		return p.WithHint("send it again, with the same id")
	}
	return err
}

func viewOfHook(taken HookTaken) hookView {
	v := hookView{
		Status: "accepted", Source: taken.Source, Rows: taken.Rows, QuarantinedCount: len(taken.Quarantined),
		Quarantined: []keptOutView{}, Refresh: taken.Rereads,
	}
	if taken.Duplicate {
		v.Status = "duplicate"
	}
	for _, q := range taken.Quarantined[:min(hookFaults, len(taken.Quarantined))] {
		v.Quarantined = append(v.Quarantined, keptOutView{q.Position, bindings.KeyText(q.Key), q.Reason, q.Detail})
	}
	return v
}

// A chargedBody is a body for which there is room only as long as there is.
type chargedBody struct {
	io.ReadCloser
	from io.Reader
	room *atomic.Int64
	own  int64
}

func (b *chargedBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.own += int64(n)
	if b.room.Add(int64(n)) > hookMemory {
		return n, retry.After(problem.New(problem.Overloaded, "too much is being sent at the same time").WithSlug(slugOverloaded).
			WithHint("send it again after the seconds of Retry-After, with the same id"), hookAgain)
	}
	return n, err
}

func (b *chargedBody) release() { b.room.Add(-b.own) }
