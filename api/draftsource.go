package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// rewriteDraft makes the draft the text that somebody typed, by the operations
// that this amounts to.
func (s *Server) rewriteDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	revision, err := mustMatch(r, "the draft")
	if err != nil {
		return err
	}
	var body rewriteRequest
	if err := decodeBody(w, r, 2*draft.MaxDocument, &body, `{"html": "<!doctype html>…"}`); err != nil {
		return err
	}
	if body.HTML == "" || !utf8.ValidString(body.HTML) || len(body.HTML) > draft.MaxDocument {
		return problem.New(problem.Invalid, "html is the whole text of the template, %d MiB at most", draft.MaxDocument>>20).At("html")
	}
	author, err := authorOf(r, body.Author)
	if err != nil {
		return err
	}
	at, err := s.sightOf(r.Context(), body.View, name)
	if err != nil {
		return err
	}
	done, err := s.deps.Desk.Rewrite(r.Context(), name, revision, []byte(body.HTML), author)
	if err != nil {
		return err
	}
	if at == nil {
		at = &sight{}
	}
	return s.answerEdited(w, at, done)
}

// A rewriteRequest is the whole text of a draft.
type rewriteRequest struct {
	HTML   string     `json:"html"`
	Author string     `json:"author,omitempty"` // without it the name of the key
	View   *viewOrder `json:"view,omitempty"`   // without it the first page with the examples
}
