package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/batch"
)

// Steering moves jobs. A move that the job's state does not take is a problem of
// code Conflict. Each answers with the job as it stands then.
type Steering interface {
	CancelJob(ctx context.Context, id string) (batch.Job, error)
	PauseJob(ctx context.Context, id string) (batch.Job, error)
	ResumeJob(ctx context.Context, id string) (batch.Job, error)
	RetryJob(ctx context.Context, id string) (batch.Job, error)
}

func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request) error {
	return s.move(w, r, s.deps.Steering.CancelJob)
}

func (s *Server) pauseJob(w http.ResponseWriter, r *http.Request) error {
	return s.move(w, r, s.deps.Steering.PauseJob)
}

func (s *Server) resumeJob(w http.ResponseWriter, r *http.Request) error {
	return s.move(w, r, s.deps.Steering.ResumeJob)
}

func (s *Server) retryJob(w http.ResponseWriter, r *http.Request) error {
	return s.move(w, r, s.deps.Steering.RetryJob)
}

// move moves a job that the asker may see, and shows it.
func (s *Server) move(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, id string) (batch.Job, error)) error {
	job, err := s.jobOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if job, err = do(r.Context(), job.ID); err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.viewOfJob(job, time.Now()))
}
