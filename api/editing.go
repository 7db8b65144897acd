package api

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	editing "github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// An editedView is a step that was taken, for an editor that shows the draft.
type editedView struct {
	Revision int64             `json:"revision"`
	Rebased  bool              `json:"rebased"` // others' steps came in between
	Between  []stepView        `json:"between"`
	Ops      []json.RawMessage `json:"ops"`     // that were applied
	Inverse  []json.RawMessage `json:"inverse"` // takes the step back, in this order
	Touched  []string          `json:"touched"`
	Source   *sourceSplice     `json:"source"` // null: the text is as it was
	Tree     treeChanges       `json:"tree"`
	View     *canvasView       `json:"view"`
}

// A sourceSplice is what becomes of the text that the editor has: from From to To,
// in UTF-16 units, it is Text.
type sourceSplice struct {
	From int    `json:"from"`
	To   *int   `json:"to"` // null: to the end
	Text string `json:"text"`
}

// A treeChanges is what differs in the tree that the editor has.
type treeChanges struct {
	All      bool                  `json:"all"`   // nodes are all there are now
	Nodes    []editing.Seen        `json:"nodes"` // that are new or changed
	Removed  []string              `json:"removed"`
	Manifest *manifestView         `json:"manifest,omitempty"` // where it changed
	Themes   []string              `json:"themes,omitempty"`
	Tokens   []editing.ThemeTokens `json:"tokens,omitempty"`
	Bindings []template.Binding    `json:"bindings,omitempty"`
	Assets   map[string]string     `json:"assets,omitempty"`
	Problems []findingView         `json:"problems"` // all that lint says now
}

// answerEdited tells an editor what a step made of the draft that it shows.
func (s *Server) answerEdited(w http.ResponseWriter, at *sight, done draft.Done) error {
	v := editedView{
		Revision: done.Draft.Revision, Rebased: done.Rebased, Between: []stepView{}, Ops: list(done.Step.Ops),
		Inverse: list(done.Step.Inverse), Touched: list(done.Step.Touched),
	}
	for _, step := range done.Between {
		v.Between = append(v.Between, viewOfStep(step))
	}
	after, err := s.canvases.canvasOf(done.Draft)
	if err != nil { // the step was taken, but an older pictifyd's document can't be shown
		return err
	}
	var before *template.Canvas
	if !done.Rebased {
		before, _ = s.canvases.canvasOf(done.Before)
	}
	v.Source = spliceOf(done, before != nil)
	v.Tree = changesOf(done, before, after)
	v.View = s.redraw(at, done, before, after)
	w.Header().Set("ETag", etagOf(v.Revision))
	return answer(w, http.StatusOK, v)
}

func spliceOf(done draft.Done, known bool) *sourceSplice {
	if !known {
		return &sourceSplice{Text: string(done.Draft.Source)}
	}
	splice, ok := markup.SpliceOf(done.Before.Source, done.Draft.Source)
	if !ok {
		return nil
	}
	return &sourceSplice{splice.From, &splice.To, splice.Text}
}

// changesOf compares the trees of the draft before and after a step.
func changesOf(done draft.Done, before, after *template.Canvas) treeChanges {
	look, manifest := lookAt(done.Draft, after)
	plain := viewOfDraft(done.Draft)
	c := treeChanges{All: true, Nodes: look.Nodes, Removed: []string{}, Problems: plain.Problems}
	var was editing.Look
	var manifestWas manifestView
	if before != nil {
		was, manifestWas = lookAt(done.Before, before)
		splice, _ := markup.SpliceOf(done.Before.Source, done.Draft.Source)
		c.All = false
		c.Nodes, c.Removed = look.Since(was, splice)
	}
	if before == nil || !reflect.DeepEqual(manifest, manifestWas) {
		c.Manifest = &manifest
	}
	if before == nil || !reflect.DeepEqual(after.Template().Themes(), before.Template().Themes()) {
		c.Themes = list(after.Template().Themes())
	}
	if before == nil || !reflect.DeepEqual(look.Themes, was.Themes) {
		c.Tokens = look.Themes
	}
	if before == nil || !reflect.DeepEqual(look.Bindings, was.Bindings) {
		c.Bindings = look.Bindings
	}
	if before == nil || !reflect.DeepEqual(done.Draft.Assets, done.Before.Assets) {
		c.Assets = plain.Assets
	}
	return c
}

// redraw draws what a step changed. Where the size or theme in view is no more,
// it says so in place of a drawing: the step was taken.
func (s *Server) redraw(at *sight, done draft.Done, before, after *template.Canvas) *canvasView {
	var last *template.Drawing
	if before != nil {
		last, _ = s.drawingOf(at, done.Draft.Name, before, nil)
	}
	drawing, err := s.drawingOf(at, done.Draft.Name, after, last)
	if err != nil {
		v := &canvasView{Revision: done.Draft.Revision, Size: at.order.Size, Nodes: []template.Redrawn{}, Values: map[string]template.Shown{},
			Problems: []troubleView{}, Row: at.row}
		first := viewOfTrouble(template.Trouble{Error: problem.All(err)[0]})
		v.Problem = &first
		return v
	}
	v := viewOfDrawing(done.Draft.Revision, at, after, drawing)
	if last == nil || last.Width != drawing.Width || last.Height != drawing.Height {
		return v
	}
	if nodes, ok := drawing.Since(last); ok {
		v.HTML, v.Nodes = "", list(nodes)
	}
	return v
}
