package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A Valve stops sinks and lets them go on.
type Valve interface {
	// PauseSink has nothing sent to a sink, or what waits go out again: also where it
	// rests or is disabled.
	PauseSink(ctx context.Context, name string, paused bool) error
}

// A Flow is how a sink fares.
type Flow struct {
	State        string    // well, failing, resting, paused, disabled
	Reason       string    // why it is disabled
	FailingSince time.Time // nothing has arrived since
	Failures     int64     // one after the other
	RestingUntil time.Time
	DisabledAt   time.Time
	ArrivedAt    time.Time // when something arrived last
	Left         sink.Backlog
}

// A flowView is how a sink fares.
type flowView struct {
	State        string     `json:"state"`                  // well, failing, resting, paused, disabled
	Reason       string     `json:"reason,omitempty"`       // why it is disabled
	FailingSince *time.Time `json:"failingSince,omitempty"` // nothing has arrived since
	Failures     int64      `json:"failures,omitempty"`     // one after the other
	RestingUntil *time.Time `json:"restingUntil,omitempty"`
	DisabledAt   *time.Time `json:"disabledAt,omitempty"`
	ArrivedAt    *time.Time `json:"arrivedAt"`         // when something arrived last
	Waiting      *int64     `json:"waiting,omitempty"` // deliveries that wait or are on their way; left out where others' are among them
	DeadLetters  *int64     `json:"deadLetters,omitempty"`
}

func viewOfFlow(f *Flow) *flowView {
	if f == nil {
		return nil
	}
	return &flowView{
		State: f.State, Reason: f.Reason, FailingSince: moment(f.FailingSince), Failures: f.Failures, RestingUntil: moment(f.RestingUntil),
		DisabledAt: moment(f.DisabledAt), ArrivedAt: moment(f.ArrivedAt), Waiting: &f.Left.Waiting, DeadLetters: &f.Left.Dead,
	}
}

// flowSeen is how a sink fares as the asker may see it: a key for some templates sees
// nothing of a sink that no binding of theirs uses, and of one that others use as well
// only in which state it is.
func (s *Server) flowSeen(ctx context.Context, c Connection) *flowView {
	own := s.seen(ctx, c.UsedBy)
	switch {
	case c.Flow == nil:
		return nil
	case len(asker(ctx).templates) == 0, len(own) > 0 && len(own) == len(c.UsedBy):
		return viewOfFlow(c.Flow)
	case len(own) == 0:
		return nil
	}
	return &flowView{State: c.Flow.State}
}

// flowOf is how the sink of that name fares. One that there is not is a problem
// NotFound with the one that was most likely meant.
func (s *Server) flowOf(ctx context.Context, name string) (*Flow, error) {
	all, err := s.deps.Resources.Connections(ctx, kindSink)
	if err != nil {
		return nil, fmt.Errorf("look up sink %q: %w", name, err)
	}
	var names []string
	for _, one := range all {
		if one.Name == name {
			return one.Flow, nil
		}
		names = append(names, one.Name)
	}
	p := problem.New(problem.NotFound, "there is no sink %q", name).WithSlug(kindSink + slugNotFound)
	if id, ok := strings.CutPrefix(name, sink.ToSubscription); ok {
		return nil, p.WithHint("it is a webhook subscription: pause, resume and test it under /webhook-subscriptions/%s", id)
	}
	if near, ok := config.Nearest(name, names); ok {
		return nil, p.WithHint("did you mean %q?", near)
	}
	return nil, p.WithHint("GET /sinks lists them")
}

func (s *Server) sinkThere(ctx context.Context, name string) error {
	_, err := s.flowOf(ctx, name)
	return err
}

// sinkStill refuses to send to a sink that is no longer there.
func (s *Server) sinkStill(ctx context.Context, name string) error {
	err := s.receiverThere(ctx, name)
	if problem.CodeOf(err) != problem.NotFound || err == nil {
		return err
	}
	if strings.HasPrefix(name, sink.ToSubscription) {
		return problem.New(problem.Conflict, "the webhook subscription of this delivery was deleted").WithSlug(slugSinkGone).WithHint("discard the delivery")
	}
	return problem.New(problem.Conflict, "the sink %q of this delivery is no longer configured", name).WithSlug(slugSinkGone).
		WithHint("discard the delivery, or configure the sink again")
}

func (s *Server) pauseSink(w http.ResponseWriter, r *http.Request) error  { return s.turn(w, r, true) }
func (s *Server) resumeSink(w http.ResponseWriter, r *http.Request) error { return s.turn(w, r, false) }

func (s *Server) turn(w http.ResponseWriter, r *http.Request, paused bool) error {
	name := r.PathValue("name")
	err := s.sinkThere(r.Context(), name)
	if err == nil {
		err = s.deps.Valve.PauseSink(r.Context(), name, paused)
	}
	if err != nil {
		return fmt.Errorf("pause or resume sink %q: %w", name, err)
	}
	return connections{kindSink}.answer(s, w, r, http.StatusOK, name)
}

// A redelivery says what a sink is told again.
type redelivery struct {
	Since   string `json:"since,omitempty"`   // only what arrived then or later: a time, a day, or how long ago
	Binding string `json:"binding,omitempty"` // only of this binding
	Key     string `json:"key,omitempty"`     // only of this row
	NewIDs  bool   `json:"newIds,omitempty"`  // under ids that the receiver has not had
}

// A redeliveredView is how much a sink is told again.
type redeliveredView struct {
	Sink    string `json:"sink"`
	State   string `json:"state"`   // of the sink: only well and failing ones are sent to at once
	Told    int64  `json:"told"`    // deliveries that are sent again
	Waiting int64  `json:"waiting"` // rows of which something newer is made, waits or is a dead letter
	Gone    int64  `json:"gone"`    // rows of which nothing is left
}

// redeliver tells a sink again what it was told last.
func (s *Server) redeliver(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	var body redelivery
	if err := decodeBody(w, r, replayBody, &body, `{"since": "2h"}`); err != nil {
		return err
	}
	flow, err := s.flowOf(r.Context(), name)
	if err != nil {
		return err
	}
	f := sink.Selection{Sink: name, Binding: body.Binding}
	if f.Seen, err = s.seenDeliveries(r.Context()); err != nil {
		return err
	}
	if f.Key, err = keyOfDelivery(body.Key, ""); err != nil {
		return err
	}
	if f.Since, err = sinceOf(body.Since, time.Now()); err != nil {
		return err
	}
	done, err := s.deps.Deliveries.Redeliver(r.Context(), f, body.NewIDs)
	if err == nil && done == (sink.Retold{}) {
		err = s.misnamed(r.Context(), f)
	}
	if err != nil {
		return fmt.Errorf("tell sink %q again: %w", name, err)
	}
	view := redeliveredView{Sink: name, Told: done.Told, Waiting: done.Waiting, Gone: done.Gone}
	if flow != nil {
		view.State = flow.State
	}
	return answer(w, http.StatusAccepted, view)
}

// healthOfSink judges a sink by what may be seen of it, and says which page shows more.
func healthOfSink(c Connection, f *flowView) (h connectors.Health, link string) {
	link = "/sinks/" + url.PathEscape(c.Name)
	h.State = connectors.StateOK
	switch {
	case c.Error != nil:
		p := problem.All(c.Error)[0]
		return connectors.Health{State: connectors.StateError, Cause: p.Error(), Next: cmp.Or(p.Hint, "change its configuration")}, link
	case f == nil:
		return h, link
	case f.State == "disabled":
		return connectors.Health{State: connectors.StateError, Cause: "it is disabled: " + f.Reason, Next: "mend the receiver, then resume it: what waits goes out again"}, link
	case f.State == "paused":
		return connectors.Health{State: connectors.StatePaused, Cause: "a person has paused it", Next: "resume it"}, link
	case f.State == "failing" || f.State == "resting":
		cause := "nothing arrives"
		if f.Failures > 0 {
			cause = fmt.Sprintf("%d tries in a row failed", f.Failures)
		}
		if f.FailingSince != nil {
			cause += f.FailingSince.UTC().Format(" since 15:04 UTC on 2 January")
		}
		return connectors.Health{State: connectors.StateWarn, Cause: cause, Next: "see what its receiver answered, and test it; it is tried again by itself"},
			"/deliveries?sink=" + url.QueryEscape(c.Name)
	case f.DeadLetters != nil && *f.DeadLetters > 0:
		return connectors.Health{State: connectors.StateWarn, Cause: countOf(int(*f.DeadLetters), "dead letter"), Next: "see what they died of, then replay or discard them"},
			"/dead-letters?sink=" + url.QueryEscape(c.Name)
	}
	return h, link
}
