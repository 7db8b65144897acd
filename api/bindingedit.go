package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func (s *Server) createBinding(w http.ResponseWriter, r *http.Request) error {
	body, err := resourceBody(w, r)
	if err != nil {
		return err
	}
	changes := []ResourceChange{{Kind: kindBinding, Body: body}}
	if told, ok, err := readSeedBinding(body); err != nil {
		return err
	} else if ok {
		if _, err := s.permit(r, ConnectionsWrite); err != nil {
			return err
		}
		changes = told
	}
	for i := range changes {
		changes[i].Author, changes[i].TemplateFunc = asker(r.Context()).name, s.usableTemplate(r)
	}
	names, err := s.deps.Resources.Save(r.Context(), changes)
	if err != nil {
		return fmt.Errorf("make a binding: %w", err)
	}
	name := names[len(names)-1]
	w.Header().Set("Location", "/bindings/"+url.PathEscape(name))
	return s.answerBinding(w, r, http.StatusCreated, name)
}

// usableTemplate refuses templates that the asker must not use, as if there were none.
func (s *Server) usableTemplate(r *http.Request) func(string) error {
	return func(name string) error {
		if !asker(r.Context()).uses(name) {
			return problem.New(problem.Invalid, "there is no template %q", name).WithSlug(slugTemplateNotFound).At("template")
		}
		return nil
	}
}

func (s *Server) answerBinding(w http.ResponseWriter, r *http.Request, status int, name string) error {
	b, ok := s.configured(name)
	if !ok {
		return s.noBinding(name) // deleted meanwhile
	}
	views, err := s.bindingViews(r.Context(), []Binding{b})
	if err != nil {
		return err
	}
	if b.Revision > 0 {
		w.Header().Set("ETag", etagOf(b.Revision))
	}
	return answer(w, status, map[string]any{"binding": views[0]})
}

func (s *Server) replaceBinding(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.bindingOf(r); err != nil {
		return err
	}
	change, err := s.replacement(w, r, kindBinding)
	if err != nil {
		return err
	}
	change.TemplateFunc = s.usableTemplate(r)
	if _, err := s.deps.Resources.Save(r.Context(), []ResourceChange{change}); err != nil {
		return fmt.Errorf("change the binding %q: %w", change.Name, err)
	}
	return s.answerBinding(w, r, http.StatusOK, change.Name)
}

// removeBinding deletes a binding; ?images= says what becomes of its images.
func (s *Server) removeBinding(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	images := r.URL.Query().Get("images")
	if images != "" && images != bindings.Keep && images != bindings.Remove {
		return problem.New(problem.Invalid, "images is %q", images).At("images").WithHint("keep or remove")
	}
	if err := s.deps.Resources.Delete(r.Context(), kindBinding, b.Name, images == bindings.Remove); err != nil {
		return fmt.Errorf("delete the binding %q: %w", b.Name, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) pauseBinding(w http.ResponseWriter, r *http.Request) error {
	return s.setPaused(w, r, true)
}

func (s *Server) resumeBinding(w http.ResponseWriter, r *http.Request) error {
	return s.setPaused(w, r, false)
}

func (s *Server) setPaused(w http.ResponseWriter, r *http.Request, paused bool) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	if err := s.deps.Resources.Pause(r.Context(), b.Name, paused); err != nil {
		return fmt.Errorf("pause or resume the binding %q: %w", b.Name, err)
	}
	return s.answerBinding(w, r, http.StatusOK, b.Name)
}

// A PreviewOf says which row a preview is of: one that is stored, the first that
// is, or one that is given.
type PreviewOf struct {
	Key string         `json:"key"` // canonical; "": the first
	Row map[string]any `json:"row"` // in place of a stored one
}

// A Preview is what a binding makes of a row now.
type Preview struct {
	Key     string          // canonical; "" of a row that was given
	Row     json.RawMessage // its columns
	Values  map[string]any  // of the template's variables
	Problem *bindings.Problem
	Removed bool // the row does not meet where, so that it has no image
	Wants   []bindings.Want
	Changed bool // the image of the row is another one now, or there is none
}

// previewBinding resolves one row and renders nothing.
func (s *Server) previewBinding(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	var of PreviewOf
	dec := json.NewDecoder(r.Body)
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&of); err != nil && !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, `the body is not JSON of the form {"key": "SKU-1"} or {"row": {"sku": "SKU-1"}}: %w`, err).WithSlug(slugMalformed)
	}
	if of.Key != "" && of.Row != nil {
		return problem.New(problem.Invalid, "a preview is of a key or of a row, not of both").At("row")
	}
	p, err := s.deps.Resources.Preview(r.Context(), b.Name, of)
	if err != nil {
		return fmt.Errorf("preview the binding %q: %w", b.Name, err)
	}
	return answer(w, http.StatusOK, map[string]any{"preview": viewOfPreview(p)})
}

// A previewView is a preview as it is shown.
type previewView struct {
	Key     string            `json:"key,omitempty"`
	Name    string            `json:"name,omitempty"`
	Row     json.RawMessage   `json:"row"`
	Values  map[string]any    `json:"values"`
	Drawn   bool              `json:"drawn"`   // it would have an image
	Changed bool              `json:"changed"` // another one than it has
	Problem *bindings.Problem `json:"problem,omitempty"`
	Outputs []previewOutput   `json:"outputs"`
}

// A previewOutput is one image that the row would have.
type previewOutput struct {
	Output      string `json:"output"`
	Fingerprint string `json:"fingerprint"`
	Size        string `json:"size"`
	Format      string `json:"format"`
}

func viewOfPreview(p Preview) previewView {
	v := previewView{
		Key: p.Key, Row: p.Row, Values: p.Values, Drawn: p.Problem == nil && !p.Removed, Changed: p.Changed,
		Problem: p.Problem, Outputs: []previewOutput{},
	}
	if p.Key != "" {
		v.Name = bindings.KeyText(p.Key)
	}
	if v.Values == nil {
		v.Values = map[string]any{}
	}
	for _, want := range p.Wants {
		v.Outputs = append(v.Outputs, previewOutput{want.Output, want.Fingerprint, want.Spec.Size, want.Spec.Format})
	}
	return v
}
