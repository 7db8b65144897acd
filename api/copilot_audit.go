package api

import (
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/copilot/model"
)

// A copilotEntry is one run in the list of what the copilot was asked and what that
// cost. Its calls are among the events of the run.
type copilotEntry struct {
	Run       string           `json:"run"`
	Template  string           `json:"template"`
	Author    string           `json:"author"` // who asked
	Message   string           `json:"message"`
	Model     string           `json:"model"`
	Prompt    string           `json:"promptHash"` // SHA-256, hex, of the system prompt and the tools
	Status    string           `json:"status"`
	Problem   *copilot.Problem `json:"problem,omitempty"`
	Steps     int              `json:"steps"` // that it took
	Kept      int              `json:"kept"`  // that a person accepted
	Calls     int              `json:"calls"` // of tools
	Turns     int              `json:"turns"` // replies of the model
	Images    int              `json:"images"`
	Tokens    model.Usage      `json:"tokens"`
	Seconds   float64          `json:"seconds"`
	Cost      float64          `json:"cost"`
	CreatedAt time.Time        `json:"createdAt"`
	EndedAt   *time.Time       `json:"endedAt"`
}

// A copilotAudit is a page of the list, newest first.
type copilotAudit struct {
	Entries   []copilotEntry `json:"entries"`
	NextAfter *string        `json:"nextAfter"` // of the next page; null: there is none
}

func (s *Server) auditCopilot(w http.ResponseWriter, r *http.Request) error {
	runs, next, err := s.copilotRunPage(r)
	if err != nil {
		return err
	}
	page := copilotAudit{Entries: []copilotEntry{}, NextAfter: next}
	for _, run := range runs {
		page.Entries = append(page.Entries, entryOf(run))
	}
	return answer(w, http.StatusOK, page)
}

func entryOf(r copilot.Run) copilotEntry {
	e := copilotEntry{
		Run: r.ID, Template: r.Template, Author: r.Author, Message: r.Message, Model: r.Model, Prompt: r.Prompt, Status: r.Status, Problem: r.Problem,
		Steps: len(r.Steps), Calls: r.Spent.Calls, Turns: r.Spent.Turns, Images: r.Spent.Images, Tokens: r.Spent.Usage,
		Seconds: r.Spent.Seconds, Cost: r.Spent.Cost, CreatedAt: r.CreatedAt, EndedAt: r.EndedAt,
	}
	for _, step := range r.Steps {
		if step.State == copilot.Kept {
			e.Kept++
		}
	}
	return e
}
