package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Workshop says what sources and sinks there can be, and tries them.
type Workshop interface {
	// Kinds are the kinds of sources and sinks.
	Kinds() (Kinds, error)
	// TryConnection tries a source or a sink that is not kept, as Save takes it. What
	// is wrong with it is a step that failed; a body that is none is an error.
	TryConnection(ctx context.Context, kind string, body []byte) (Trial, error)
	// TrySource tries a source that there is, beside its readings.
	TrySource(ctx context.Context, name string) (Trial, error)
}

// Kinds are the kinds of sources and sinks.
type Kinds struct {
	Sources []Kind `json:"sources"`
	Sinks   []Kind `json:"sinks"`
}

// A Kind is what a source or sink can be.
type Kind struct {
	Kind    string          `json:"kind"`
	Summary string          `json:"summary"`
	Callers bool            `json:"callers"` // may be made over the API; others are the configuration's
	Schema  json.RawMessage `json:"schema"`  // JSON Schema of its configuration, as a POST takes it, in the order of a form; secrets are writeOnly
}

// The steps of a trial, in their order.
const (
	StepConfiguration = "configuration" // it can be read
	StepAddresses     = "addresses"     // pictifyd may reach them
	StepConnection    = "connection"    // the other side answers
	StepRows          = "rows"          // there are some
	StepKey           = "key"           // they have the columns of the key
)

// A Trial is what came of trying a source or a sink.
type Trial struct {
	Steps   []TrialStep
	Columns []string
	Rows    []json.RawMessage // the first ones
	Key     []string          // the columns of the key
	Advice  []string          // what would make its readings better
	Sink    *SinkTest         // of a sink that was reached
}

// A TrialStep is one thing that was tried.
type TrialStep struct {
	Name    string
	Skipped string // why it was not tried
	Err     error  // why it did not go well
}

// A trialView is what came of trying a source or a sink.
type trialView struct {
	OK         bool            `json:"ok"`
	Steps      []trialStepView `json:"steps"` // in their order, up to the first that failed
	DurationMs int64           `json:"durationMs"`

	Columns []string          `json:"columns"`          // of a source
	Rows    []json.RawMessage `json:"sampleRows"`       // of a source: its first ones
	Key     []string          `json:"key"`              // of a source: the columns that name a row
	Advice  []string          `json:"advice,omitempty"` // what would make its readings better
	Test    *sinkTestView     `json:"test,omitempty"`   // of a sink: what was sent and answered
}

// A trialStepView is one thing that was tried.
type trialStepView struct {
	Name    string `json:"name"` // configuration, addresses, connection, rows, key
	OK      bool   `json:"ok"`
	Skipped bool   `json:"skipped,omitempty"` // it was not tried: the message says why
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Code    string `json:"code,omitempty"`
	Path    string `json:"path,omitempty"` // where in the configuration
	More    int    `json:"more,omitempty"` // problems that are left out here
}

// wellTried says of steps what it means that they went well.
var wellTried = map[string]string{
	StepConfiguration: "the configuration can be read", StepAddresses: "pictifyd may reach its addresses", StepConnection: "it answers",
	StepRows: "it has rows", StepKey: "its rows have the columns of the key",
}

func (s *Server) viewOfTrial(kind, name string, t Trial, took time.Duration) trialView {
	v := trialView{OK: true, Steps: []trialStepView{}, DurationMs: took.Milliseconds(), Columns: list(t.Columns), Rows: list(t.Rows), Key: list(t.Key), Advice: t.Advice}
	for _, step := range t.Steps {
		one := trialStepView{Name: step.Name, OK: step.Err == nil, Message: wellTried[step.Name]}
		switch {
		case step.Skipped != "":
			one.Skipped, one.Message = true, step.Skipped
		case step.Err != nil:
			v.OK = false
			all := problem.All(step.Err)
			one.Code, one.Message, one.Hint, one.Path, one.More = all[0].Kind(), all[0].Message, all[0].Hint, all[0].Path, len(all)-1
			if all[0].Code == problem.Internal {
				s.log.Error("try a connection", kind, name, "err", step.Err)
				one.Message = "something went wrong inside pictifyd; its log says what"
			}
		}
		v.Steps = append(v.Steps, one)
	}
	if t.Sink != nil {
		test := s.viewOfTest(name, *t.Sink)
		v.Test = &test
	}
	return v
}

// listKinds says what sources and sinks there can be.
func (s *Server) listKinds(w http.ResponseWriter, _ *http.Request) error {
	kinds, err := s.deps.Workshop.Kinds()
	if err != nil {
		return fmt.Errorf("list the kinds of sources and sinks: %w", err)
	}
	return answer(w, http.StatusOK, kinds)
}

// try tries a source or a sink that is not kept.
func (c connections) try(s *Server, w http.ResponseWriter, r *http.Request) error {
	body, err := resourceBody(w, r)
	if err != nil {
		return err
	}
	began := time.Now()
	t, err := s.deps.Workshop.TryConnection(r.Context(), c.kind, body)
	if err != nil {
		return fmt.Errorf("try a %s: %w", c.kind, err)
	}
	return answer(w, http.StatusOK, s.viewOfTrial(c.kind, "", t, time.Since(began)))
}

// trySource tries a source that there is.
func (s *Server) trySource(w http.ResponseWriter, r *http.Request) error {
	name, began := r.PathValue("name"), time.Now()
	t, err := s.deps.Workshop.TrySource(r.Context(), name)
	if err != nil {
		return fmt.Errorf("try the source %q: %w", name, err)
	}
	return answer(w, http.StatusOK, s.viewOfTrial(kindSource, name, t, time.Since(began)))
}
