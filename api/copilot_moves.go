package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A copilotMove is what a person says on a run.
type copilotMove func(s *Server, w http.ResponseWriter, r *http.Request, id string) (copilot.Run, error)

// moves answers with the run as it is after a move.
func moves(move copilotMove) handler {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		run, err := s.copilotRunOf(r)
		if err != nil {
			return err
		}
		if run, err = move(s, w, r, run.ID); err != nil {
			return fmt.Errorf("run %s of the copilot: %w", r.PathValue("id"), err)
		}
		return answer(w, http.StatusOK, run)
	}
}

// ofRun is a move that needs to know nothing but the run.
func ofRun(move func(c Copilot, ctx context.Context, id string) (copilot.Run, error)) handler {
	return moves(func(s *Server, _ http.ResponseWriter, r *http.Request, id string) (copilot.Run, error) {
		return move(s.deps.Copilot, r.Context(), id)
	})
}

// ofStep is a move of the step that the path names.
func ofStep(move func(c Copilot, ctx context.Context, id string, n int) (copilot.Run, error)) handler {
	return moves(func(s *Server, _ http.ResponseWriter, r *http.Request, id string) (copilot.Run, error) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n < 1 {
			return copilot.Run{}, problem.New(problem.Invalid, "%q is not the number of a step", r.PathValue("n")).WithSlug("out_of_range").At("n")
		}
		return move(s.deps.Copilot, r.Context(), id, n)
	})
}

var (
	cancelCopilotRun  = ofRun(Copilot.Cancel)
	acceptCopilotRun  = ofRun(Copilot.Accept)
	discardCopilotRun = ofRun(Copilot.Discard)
	acceptRunStep     = ofStep(Copilot.AcceptStep)
	rejectRunStep     = ofStep(Copilot.RejectStep)
	answerCopilotRun  = moves((*Server).answerRun)
	pickCandidate     = moves((*Server).pickRunCandidate)
)

// A copilotAnswer is what a person says to a question of a run.
type copilotAnswer struct {
	Question string `json:"question"` // its id
	Answer   string `json:"answer"`   // one of its choices, or a text
}

func (s *Server) answerRun(w http.ResponseWriter, r *http.Request, id string) (copilot.Run, error) {
	var said copilotAnswer
	if err := decodeBody(w, r, replayBody, &said, `{"question": "q1", "answer": "yes"}`); err != nil {
		return copilot.Run{}, err
	}
	if said.Question == "" {
		return copilot.Run{}, problem.New(problem.Invalid, "there is no question").WithSlug("required").At("question").WithHint("send the id of the run's question")
	}
	return s.deps.Copilot.Answer(r.Context(), id, said.Question, said.Answer)
}

func (s *Server) pickRunCandidate(_ http.ResponseWriter, r *http.Request, id string) (copilot.Run, error) {
	return s.deps.Copilot.Pick(r.Context(), id, r.PathValue("name"))
}
