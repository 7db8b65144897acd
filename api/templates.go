package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	ops "github.com/pictifyd/pictifyd/template/edit"
)

const slugTemplateNotFound = "template_not_found"

// A templateView is a template's newest version.
type templateView struct {
	UID       string          `json:"uid"`
	Name      string          `json:"name"`
	Version   int64           `json:"version"`
	Digest    string          `json:"digest"`
	Author    string          `json:"author"`
	CreatedAt time.Time       `json:"createdAt"`
	Sizes     []template.Size `json:"sizes,omitempty"`
	Variables []template.Var  `json:"variables,omitempty"`
	Themes    []string        `json:"themes,omitempty"`
	HTML      string          `json:"html,omitempty"`
	Tree      []ops.Layer     `json:"tree,omitempty"` // of ?as=tree: the pages with their layers
}

func viewOfTemplate(v template.Version) templateView {
	return templateView{
		UID: v.Name, Name: v.Name, Version: v.Number, Digest: v.Digest, Author: v.Author, CreatedAt: v.CreatedAt.UTC(),
	}
}

func (s *Server) listTemplates(w http.ResponseWriter, r *http.Request) error {
	all, err := s.deps.Templates.Templates(r.Context())
	if err != nil {
		return fmt.Errorf("list templates: %w", err)
	}
	// By default all of them: there are as many as people have made.
	limit, err := intParam(r, "limit", len(all)+1, 1, maxPage)
	if err != nil {
		return err
	}
	page := templatePage{Templates: []templateView{}}
	word, after := strings.ToLower(r.URL.Query().Get("q")), r.URL.Query().Get("after")
	for _, v := range all {
		if v.Name <= after || !strings.Contains(strings.ToLower(v.Name), word) || !asker(r.Context()).uses(v.Name) {
			continue
		}
		if len(page.Templates) == limit {
			page.NextAfter = &page.Templates[limit-1].Name
			break
		}
		page.Templates = append(page.Templates, viewOfTemplate(v))
	}
	return answer(w, http.StatusOK, page)
}

// A templatePage is some of the templates, by name.
type templatePage struct {
	Templates []templateView `json:"templates"`
	NextAfter *string        `json:"nextAfter"` // the after of the next page, null at the end
}

// deleteTemplate forgets a template that nothing uses.
func (s *Server) deleteTemplate(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("id")
	if !asker(r.Context()).uses(name) {
		return noTemplate(name)
	}
	if err := s.inUse(r.Context(), s.deps.DeleteTemplateFunc(r.Context(), name)); err != nil {
		return fmt.Errorf("delete the template %q: %w", name, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) showTemplate(w http.ResponseWriter, r *http.Request) error {
	v, form, err := s.templateOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := viewOfTemplate(v)
	view.Sizes, view.Themes, view.Variables = form.Sizes(), form.Themes(), form.Vars()
	switch as := r.URL.Query().Get("as"); as {
	case "tree":
		view.Tree = ops.Outline(v.Source)
	case "", "html":
		view.HTML = string(v.Source)
	default:
		return problem.New(problem.Invalid, "a template cannot be shown as %q", as).At("as").WithHint("ask for html or tree")
	}
	w.Header().Set("ETag", etagOf(v.Number))
	return answer(w, http.StatusOK, map[string]any{"template": view})
}

func (s *Server) showVariables(w http.ResponseWriter, r *http.Request) error {
	v, form, err := s.templateOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{
		"templateUid": v.Name, "version": v.Number, "variables": list(form.Vars()),
	})
}

// templateOf is the newest version of a template that the asker may use.
func (s *Server) templateOf(ctx context.Context, name string) (template.Version, bindings.Template, error) {
	if !asker(ctx).uses(name) {
		return template.Version{}, nil, noTemplate(name)
	}
	v, err := s.deps.Templates.Template(ctx, name, 0)
	if err != nil {
		return v, nil, err
	}
	form, err := s.deps.CompileFunc(ctx, v.Name, v.Number)
	if err != nil {
		return v, nil, fmt.Errorf("read template %q version %d: %w", v.Name, v.Number, err)
	}
	return v, form, nil
}
