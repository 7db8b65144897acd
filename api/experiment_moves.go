package api

import (
	"fmt"
	"log/slog"
	"net/http"
)

// A endRequest says which variant all get from now on.
type endRequest struct {
	WinnerVariantID string `json:"winnerVariantId,omitempty"` // without it the one that the report suggests
	Force           bool   `json:"force,omitempty"`           // although the numbers do not say so
}

// A rolloutRequest moves the weights of new units.
type rolloutRequest struct {
	Weights map[string]int `json:"weights"` // basis points by the id of the variant, 10000 together
}

func (s *Server) startExperiment(w http.ResponseWriter, r *http.Request) error {
	return s.moveExperiment(w, r, ExperimentMove{Move: MoveStart})
}

func (s *Server) pauseExperiment(w http.ResponseWriter, r *http.Request) error {
	return s.moveExperiment(w, r, ExperimentMove{Move: MovePause})
}

func (s *Server) resumeExperiment(w http.ResponseWriter, r *http.Request) error {
	return s.moveExperiment(w, r, ExperimentMove{Move: MoveResume})
}

func (s *Server) completeExperiment(w http.ResponseWriter, r *http.Request) error {
	var asked endRequest
	if err := decodeBody(w, r, replayBody, &asked, `{"winnerVariantId": "offer"}`); err != nil {
		return err
	}
	return s.moveExperiment(w, r, ExperimentMove{Move: MoveComplete, Winner: asked.WinnerVariantID, Force: asked.Force})
}

func (s *Server) rolloutExperiment(w http.ResponseWriter, r *http.Request) error {
	var asked rolloutRequest
	if err := decodeBody(w, r, replayBody, &asked, `{"weights": {"plain": 1000, "offer": 9000}}`); err != nil {
		return err
	}
	return s.moveExperiment(w, r, ExperimentMove{Move: MoveRollout, Weights: asked.Weights})
}

// moveExperiment moves one, and shows it.
func (s *Server) moveExperiment(w http.ResponseWriter, r *http.Request, m ExperimentMove) error {
	e, err := s.experimentToChange(r)
	if err != nil {
		return err
	}
	m.Author = asker(r.Context()).name
	slug := e.Slug
	if e, err = s.deps.ExperimentDesk.Move(r.Context(), e, m); err != nil {
		return fmt.Errorf("%s the experiment %q: %w", m.Move, slug, err)
	}
	s.log.Info("experiment moved over the API", slog.String("experiment", slug), slog.String("move", m.Move), slog.String("by", m.Author))
	return s.answerExperiment(w, r, http.StatusOK, e)
}
