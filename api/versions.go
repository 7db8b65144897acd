package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A versionView is a version of a template.
type versionView struct {
	Version   int64             `json:"version"`
	Digest    string            `json:"digest"`
	Author    string            `json:"author"`
	CreatedAt time.Time         `json:"createdAt"`
	Assets    map[string]string `json:"assets,omitempty"` // path to digest
	HTML      string            `json:"html,omitempty"`
}

func viewOfVersion(v template.Version) versionView {
	return versionView{v.Number, v.Digest, v.Author, v.CreatedAt.UTC(), v.Assets, string(v.Source)}
}

// numberOf reads the number of a version.
func numberOf(text, at string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, problem.New(problem.Invalid, "%q is not the number of a version", text).WithSlug("out_of_range").At(at)
	}
	return n, nil
}

// listVersions gives a page of the versions of a template, the newest first.
func (s *Server) listVersions(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return err
	}
	before := int64(0)
	if text := r.URL.Query().Get("before"); text != "" {
		if before, err = numberOf(text, "before"); err != nil {
			return err
		}
	}
	if _, err := s.deps.Templates.Template(r.Context(), name, 0); err != nil {
		return err
	}
	all, err := s.deps.Templates.TemplateVersions(r.Context(), name, before, limit)
	if err != nil {
		return fmt.Errorf("list versions of %q: %w", name, err)
	}
	page := struct {
		TemplateUID string        `json:"templateUid"`
		Versions    []versionView `json:"versions"`
		Next        int64         `json:"next,omitempty"` // the before of the next page
	}{TemplateUID: name, Versions: []versionView{}}
	for _, v := range all {
		page.Versions = append(page.Versions, viewOfVersion(v))
	}
	if len(all) == limit && all[len(all)-1].Number > 1 {
		page.Next = all[len(all)-1].Number
	}
	return answer(w, http.StatusOK, page)
}

// versionOf is the version that r names.
func (s *Server) versionOf(r *http.Request) (template.Version, error) {
	name, err := usable(r)
	if err != nil {
		return template.Version{}, err
	}
	number, err := numberOf(r.PathValue("number"), "number")
	if err != nil {
		return template.Version{}, err
	}
	return s.deps.Templates.Template(r.Context(), name, number)
}

func (s *Server) showVersion(w http.ResponseWriter, r *http.Request) error {
	v, err := s.versionOf(r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"templateUid": v.Name, "version": viewOfVersion(v)})
}

// compareVersions says what turns a version into another one; without ?to= into
// the newest.
func (s *Server) compareVersions(w http.ResponseWriter, r *http.Request) error {
	from, err := s.versionOf(r)
	if err != nil {
		return err
	}
	number := int64(0)
	if text := r.URL.Query().Get("to"); text != "" {
		if number, err = numberOf(text, "to"); err != nil {
			return err
		}
	}
	to, err := s.deps.Templates.Template(r.Context(), from.Name, number)
	if err != nil {
		return err
	}
	c := draft.Compare(from, to, s.formOf(r.Context(), from), s.formOf(r.Context(), to))
	return answer(w, http.StatusOK, struct {
		TemplateUID string        `json:"templateUid"`
		From        int64         `json:"from"`
		To          int64         `json:"to"`
		Same        bool          `json:"same"`
		Diff        string        `json:"diff"` // as diff -u has it
		Variables   draft.Changes `json:"variables"`
		Sizes       draft.Changes `json:"sizes"`
		Assets      draft.Changes `json:"assets"`
	}{from.Name, c.From, c.To, from.Digest == to.Digest, c.Text, c.Variables, c.Sizes, c.Assets})
}

// formOf is a version compiled; nil when it cannot be any more.
func (s *Server) formOf(ctx context.Context, v template.Version) draft.Form {
	form, err := s.deps.CompileFunc(ctx, v.Name, v.Number)
	if err != nil {
		return nil
	}
	return form
}
