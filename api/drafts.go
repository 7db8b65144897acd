package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

const (
	maxEdit   = 2 << 20 // bytes of one edit
	maxOps    = 1000    // of one edit
	maxAuthor = 100     // letters
)

// A draftView is a draft as it stands.
type draftView struct {
	TemplateUID string            `json:"templateUid"`
	Base        int64             `json:"base"` // the version that it began with
	Revision    int64             `json:"revision"`
	Open        bool              `json:"open"` // false: it is the newest version
	HTML        string            `json:"html"`
	Assets      map[string]string `json:"assets"` // path to digest
	Author      string            `json:"author"`
	UpdatedAt   time.Time         `json:"updatedAt"`
	Problems    []findingView     `json:"problems"` // what lint says of it
}

// A findingView is one thing that lint has to say.
type findingView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Fatal   bool   `json:"fatal"` // it cannot be published so
}

func viewOfDraft(d draft.Draft) draftView {
	assets := d.Assets
	if assets == nil {
		assets = map[string]string{}
	}
	v := draftView{d.Name, d.Base, d.Revision, d.Open, string(d.Source), assets, d.Author, d.UpdatedAt.UTC(), []findingView{}}
	for _, f := range template.Lint(d.Name, d.Source, d.Assets, nil) {
		v.Problems = append(v.Problems, findingView{f.Kind(), f.Message, f.Hint, f.Pos.Line, f.Pos.Column, f.Fatal})
	}
	return v
}

// A doneView is a step that was taken, and what it led to.
type doneView struct {
	Revision int64             `json:"revision"`
	Rebased  bool              `json:"rebased"` // others' steps came in between
	Between  []stepView        `json:"between"`
	Inverse  []json.RawMessage `json:"inverse"` // takes the step back, in this order
	Touched  []string          `json:"touched"`
	Draft    draftView         `json:"draft"`
}

func answerDone(w http.ResponseWriter, done draft.Done) error {
	v := viewOfDone(done)
	w.Header().Set("ETag", etagOf(v.Revision))
	return answer(w, http.StatusOK, v)
}

func viewOfDone(done draft.Done) doneView {
	v := doneView{
		Revision: done.Draft.Revision, Rebased: done.Rebased, Between: []stepView{},
		Inverse: list(done.Step.Inverse), Touched: list(done.Step.Touched), Draft: viewOfDraft(done.Draft),
	}
	for _, s := range done.Between {
		v.Between = append(v.Between, viewOfStep(s))
	}
	return v
}

// usable is the name of the template of r, if the asker may use it.
func usable(r *http.Request) (string, error) {
	name := r.PathValue("id")
	if !asker(r.Context()).uses(name) {
		return "", noTemplate(name)
	}
	return name, nil
}

func noTemplate(name string) error {
	return problem.New(problem.NotFound, "there is no template %q", name).
		WithSlug(slugTemplateNotFound).WithHint("GET /templates lists those that this key may use")
}

func (s *Server) showDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etagOf(d.Revision))
	return answer(w, http.StatusOK, map[string]any{"draft": viewOfDraft(d)})
}

// editDraft applies operations. Those that were meant for an older revision are
// applied on the newest, unless somebody else touched the same.
func (s *Server) editDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	revision, err := mustMatch(r, "the draft")
	if err != nil {
		return err
	}
	var body struct {
		Ops    []json.RawMessage
		Author string
		View   *viewOrder
		DryRun bool
	}
	if err := decodeBody(w, r, maxEdit, &body, `{"ops": [{"op": "set_text", "id": "title", "text": "Hello"}]}`); err != nil {
		return err
	}
	if len(body.Ops) == 0 || len(body.Ops) > maxOps {
		return problem.New(problem.Invalid, "an edit has from 1 to %d operations, this one has %d", maxOps, len(body.Ops)).
			WithSlug("out_of_range").At("ops")
	}
	author, err := authorOf(r, body.Author)
	if err != nil {
		return err
	}
	at, err := s.sightOf(r.Context(), body.View, name)
	if err != nil {
		return err
	}
	done, err := s.deps.Desk.Edit(r.Context(), draft.Edit{Name: name, Revision: revision, Ops: body.Ops, Author: author, DryRun: body.DryRun})
	if err != nil {
		return err
	}
	if at != nil && !body.DryRun {
		return s.answerEdited(w, at, done)
	}
	return answerDone(w, done)
}

// undoStep takes back the author's last step that stands.
func (s *Server) undoStep(w http.ResponseWriter, r *http.Request) error {
	return s.takeStep(w, r, func(ctx context.Context, name, author string) (draft.Done, error) {
		return s.deps.Desk.Undo(ctx, name, author)
	})
}

// restoreVersion makes the draft what a version was.
func (s *Server) restoreVersion(w http.ResponseWriter, r *http.Request) error {
	number, err := numberOf(r.PathValue("number"), "number")
	if err != nil {
		return err
	}
	return s.takeStep(w, r, func(ctx context.Context, name, author string) (draft.Done, error) {
		return s.deps.Desk.Restore(ctx, name, number, author)
	})
}

// takeStep takes a step that needs to know only whose it is.
func (s *Server) takeStep(w http.ResponseWriter, r *http.Request, take func(ctx context.Context, name, author string) (draft.Done, error)) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	var body struct{ Author string }
	if err := decodeBody(w, r, maxEdit, &body, `{"author": "Ada"}`); err != nil {
		return err
	}
	author, err := authorOf(r, body.Author)
	if err != nil {
		return err
	}
	done, err := take(r.Context(), name, author)
	if err != nil {
		return err
	}
	return answerDone(w, done)
}

// discardDraft makes the draft the newest version again.
func (s *Server) discardDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	revision, err := ifMatch(r)
	if err != nil {
		return err
	}
	author, err := authorOf(r, "")
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.DiscardDraft(r.Context(), name, revision, author)
	if err != nil {
		return fmt.Errorf("discard the draft of %q: %w", name, err)
	}
	w.Header().Set("ETag", etagOf(d.Revision))
	return answer(w, http.StatusOK, map[string]any{"draft": viewOfDraft(d)})
}

// decodeBody reads a small JSON body; one that is empty leaves value as it is.
func decodeBody(w http.ResponseWriter, r *http.Request, limit int64, value any, like string) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return smallBodyError(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	err = d.Decode(value)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, after := d.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if err != nil {
		return problem.New(problem.Invalid, "the body is not JSON of the form %s: %w", like, err).WithSlug(slugMalformed)
	}
	return nil
}

// authorOf is who a step or a version is said to be by.
func authorOf(r *http.Request, given string) (string, error) {
	given = strings.TrimSpace(given)
	switch {
	case given == "file":
		return "", problem.New(problem.Invalid, "the author %q is the templates folder", given).At("author")
	case utf8.RuneCountInString(given) > maxAuthor:
		return "", problem.New(problem.Invalid, "the author's name is longer than %d letters", maxAuthor).At("author")
	case given != "":
		return given, nil
	case asker(r.Context()).name != "":
		return asker(r.Context()).name, nil
	}
	return "api", nil
}
