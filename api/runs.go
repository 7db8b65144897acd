package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Runs asks for runs of bindings: readings of their sources that are jobs.
type Runs interface {
	// AskRun makes a run, durably. at is the moment that it is for, as a day or in
	// RFC 3339; "" is now. A run that has not ended, and that this one would repeat,
	// is the same. What is wrong with at is a problem at the field at.
	AskRun(ctx context.Context, binding string, cause batch.Cause, at string) (batch.Job, error)
	// RunsOf says when bindings run.
	RunsOf(ctx context.Context, names []string) (map[string]RunState, error)
}

// A RunState is when a binding ran last, and when it will next.
type RunState struct {
	Next time.Time  // zero where its source has no schedule
	Last *batch.Job // nil where there is none, or it is kept no longer
}

// A lastRun is the newest run of a binding.
type lastRun struct {
	ScheduledFor time.Time    `json:"scheduledFor"`
	JobID        string       `json:"jobId"`
	Status       batch.Status `json:"status"`
	Error        string       `json:"error,omitempty"`
}

// showRuns adds to views when their bindings run.
func (s *Server) showRuns(ctx context.Context, views []bindingView, names []string) error {
	runs, err := s.deps.Runs.RunsOf(ctx, names)
	if err != nil {
		return fmt.Errorf("read runs of bindings: %w", err)
	}
	for i, v := range views {
		state := runs[v.Name]
		views[i].NextRunAt = moment(state.Next)
		if j := state.Last; j != nil {
			run := batch.NewStanding(*j, time.Now()).Run
			views[i].LastRun = &lastRun{ScheduledFor: run.ScheduledFor, JobID: j.ID, Status: j.Status, Error: run.Error}
		}
	}
	return nil
}

// A runAccepted is the answer to who asked for a run.
type runAccepted struct {
	Status       string    `json:"status"` // refreshing or running
	Binding      string    `json:"binding"`
	Source       string    `json:"source"`
	ScheduledFor time.Time `json:"scheduledFor"`
	JobID        string    `json:"jobId"`
	StatusURL    string    `json:"statusUrl"`
	EventsURL    string    `json:"eventsUrl"`
}

// A runRequest is the body that asks for a run.
type runRequest struct {
	At string `json:"at,omitempty"` // the moment that it is for: a day, or RFC 3339; now where it is not given
}

// refreshBinding asks for a reading of the binding's source.
func (s *Server) refreshBinding(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	streams, err := s.deps.Refresher.Resnapshot(r.Context(), b.Source)
	switch {
	case err != nil:
		return fmt.Errorf("have the source %q read again: %w", b.Source, err)
	case streams:
		return answer(w, http.StatusAccepted, refreshView{Status: "refreshing", Binding: b.Name, Source: b.Source, Reading: true})
	}
	return s.askRun(w, r, b, batch.ByRefresh, "")
}

// runBinding asks for a run as the schedule makes one.
func (s *Server) runBinding(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	var asked runRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "the body is not JSON of the form {\"at\": \"2026-10-01\"}: %w", err).WithSlug(slugMalformed)
	}
	return s.askRun(w, r, b, batch.ByAsking, asked.At)
}

func (s *Server) askRun(w http.ResponseWriter, r *http.Request, b Binding, cause batch.Cause, at string) error {
	job, err := s.deps.Runs.AskRun(r.Context(), b.Name, cause, at)
	if err != nil {
		return fmt.Errorf("ask for a run of %q: %w", b.Name, err)
	}
	word := "running"
	if cause == batch.ByRefresh {
		word = "refreshing"
	}
	path := s.base + "/jobs/" + job.ID
	return answer(w, http.StatusAccepted, runAccepted{
		Status: word, Binding: b.Name, Source: b.Source, ScheduledFor: job.Origin.For.UTC(),
		JobID: job.ID, StatusURL: path, EventsURL: path + "/events",
	})
}
