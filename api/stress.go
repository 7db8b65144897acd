package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template/sample"
)

// A stressView is the rows that a template should be tried with.
type stressView struct {
	From    string        `json:"from"`
	Looked  sample.Looked `json:"looked"`
	Scripts []string      `json:"scripts"` // that the rows are written in
	Cases   []sample.Case `json:"cases"`
}

// showStress looks through the rows of a place for what is extreme, and makes what
// is harder still.
func (s *Server) showStress(w http.ResponseWriter, r *http.Request) error {
	t, err := s.trialOf(r, r.URL.Query().Get("from"))
	if err != nil {
		return err
	}
	view := stressView{From: t.from}
	e := sample.NewExtremes(t.form.Vars())
	if view.Looked, err = sample.Look(r.Context(), t.rows, e); err != nil {
		return fmt.Errorf("look through the rows of %s: %w", t.from, err)
	}
	view.Scripts = e.Scripts()
	base := examplesOf(t.form.Vars())
	if first, ok := e.First(); ok {
		base = first.Values
	}
	env := expr.Env{Now: time.Now()}
	view.Cases = sample.Stress(t.form.Vars(), e, base, func(values map[string]any) bool {
		_, err := t.form.ResolveIn(values, env)
		return err == nil
	})
	return answer(w, http.StatusOK, view)
}
