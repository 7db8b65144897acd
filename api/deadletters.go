package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	slugNoLetters   = "dead_letters_not_found"
	slugNoSelection = "selection_missing"
	slugSinkGone    = "sink_gone"
)

// maxLetters is how many dead letters one request may name.
const maxLetters = 1000

// A letterGroup is the dead letters of a sink that died of the same error.
type letterGroup struct {
	Cause     string     `json:"cause"`
	Sink      string     `json:"sink"` // batch and batch_rows are the webhooks of jobs, subscriptions all of those
	Events    []string   `json:"events"`
	Error     string     `json:"error"` // of the newest of them
	Count     int64      `json:"count"`
	FirstSeen *time.Time `json:"firstSeenAt"`
	LastSeen  *time.Time `json:"lastSeenAt"`
	IDs       []string   `json:"sampleIds"`
}

func (s *Server) listDeadLetters(w http.ResponseWriter, r *http.Request) error {
	limit, err := intParam(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return err
	}
	f, err := s.deliveryFilter(r)
	if err != nil {
		return err
	}
	groups, err := s.deps.Deliveries.DeadLetters(r.Context(), f, limit)
	if err != nil {
		return fmt.Errorf("list dead letters: %w", err)
	}
	if len(groups) == 0 {
		if err := s.misnamed(r.Context(), f); err != nil {
			return err
		}
	}
	views := make([]letterGroup, len(groups))
	for i, g := range groups {
		views[i] = letterGroup{g.Cause, g.Sink, list(g.Events), g.Error, g.Count, moment(g.FirstSeen), moment(g.LastSeen), list(g.IDs)}
	}
	return answer(w, http.StatusOK, map[string]any{"groups": views})
}

// A letterSelection says which dead letters are meant: those of which all that it
// says is true.
type letterSelection struct {
	Cause   string   `json:"cause,omitempty"`
	Sink    string   `json:"sink,omitempty"`
	Binding string   `json:"binding,omitempty"`
	Since   string   `json:"since,omitempty"` // died then or later: a time, a day, or how long ago
	IDs     []string `json:"ids,omitempty"`
}

// A letterDiscard says which dead letters are given up, and why.
type letterDiscard struct {
	letterSelection

	Reason string `json:"reason"`
}

// filter is the selection as the outbox takes it.
func (s *Server) letters(ctx context.Context, sel letterSelection) (sink.Selection, error) {
	f := sink.Selection{Cause: sel.Cause, Sink: sel.Sink, Binding: sel.Binding, IDs: sel.IDs}
	var err error
	if f.Seen, err = s.seenDeliveries(ctx); err != nil {
		return f, err
	}
	if f.Since, err = sinceOf(sel.Since, time.Now()); err != nil {
		return f, err
	}
	switch {
	case len(sel.IDs) > maxLetters:
		return f, problem.New(problem.TooLarge, "%d dead letters are more than the %d allowed", len(sel.IDs), maxLetters).At("ids").
			WithHint("name their cause, their sink or a time instead")
	case sel.IDs != nil && len(sel.IDs) == 0:
		return f, problem.New(problem.Invalid, "there is no id").WithSlug(slugNoSelection).At("ids")
	case sel.Cause == "" && sel.Sink == "" && sel.Binding == "" && sel.Since == "" && sel.IDs == nil:
		return f, problem.New(problem.Invalid, "nothing says which dead letters are meant").WithSlug(slugNoSelection).
			WithHint("give a cause of GET /dead-letters, a sink, a binding, a time since, or ids")
	}
	return f, nil
}

// noneMoved is why a selection took nothing, where that is the caller's mistake.
func (s *Server) noneMoved(ctx context.Context, f sink.Selection) error {
	if f.Cause != "" || f.IDs != nil {
		return problem.New(problem.NotFound, "there is no such dead letter any more").WithSlug(slugNoLetters).
			WithHint("somebody has replayed or discarded them, or their rows were deleted; GET /dead-letters shows what there is")
	}
	return s.misnamed(ctx, f)
}

// A replayedView is how many dead letters are tried again.
type replayedView struct {
	Replayed int64 `json:"replayed"`
}

// A discardedView is how many dead letters were given up.
type discardedView struct {
	Discarded int64 `json:"discarded"`
}

func (s *Server) replayLetters(w http.ResponseWriter, r *http.Request) error {
	var body letterSelection
	if err := decodeBody(w, r, replayBody, &body, `{"cause": "cause_…"}`); err != nil {
		return err
	}
	f, err := s.letters(r.Context(), body)
	if err != nil {
		return err
	}
	n, err := s.deps.Deliveries.Replay(r.Context(), f)
	if err == nil && n == 0 {
		err = s.noneMoved(r.Context(), f)
	}
	if err != nil {
		return fmt.Errorf("replay dead letters: %w", err)
	}
	return answer(w, http.StatusAccepted, replayedView{n})
}

func (s *Server) discardLetters(w http.ResponseWriter, r *http.Request) error {
	var body letterDiscard
	if err := decodeBody(w, r, replayBody, &body, `{"cause": "cause_…", "reason": "the shop is closed"}`); err != nil {
		return err
	}
	reason, err := reasonOf(body.Reason)
	if err != nil {
		return err
	}
	f, err := s.letters(r.Context(), body.letterSelection)
	if err != nil {
		return err
	}
	by, err := authorOf(r, "")
	if err != nil {
		return err
	}
	n, err := s.deps.Deliveries.Discard(r.Context(), f, reason, by)
	if err == nil && n == 0 {
		err = s.noneMoved(r.Context(), f)
	}
	if err != nil {
		return fmt.Errorf("discard dead letters: %w", err)
	}
	return answer(w, http.StatusOK, discardedView{n})
}
