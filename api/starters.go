package api

import (
	"maps"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/starter"
)

// listStarters tells what new templates can begin with.
func (s *Server) listStarters(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, map[string]any{"starters": list(starter.List())})
}

// pushStarter is a new template that begins as a starter. Its sample rows and the
// licences of its fonts stay behind: a version has only what its pages show.
func pushStarter(name, from, html, author string) (draft.Push, error) {
	if html != "" {
		return draft.Push{}, problem.New(problem.Invalid, "a template begins with html or from a starter, not both").WithSlug(slugMalformed).
			At("from").WithHint("leave one of them out")
	}
	if err := CheckName(name); err != nil {
		return draft.Push{}, err
	}
	files, err := starter.Make(name, from)
	if err != nil {
		return draft.Push{}, err
	}
	p := draft.Push{Name: name, Source: files[name+".html"], Assets: files, Author: author}
	maps.DeleteFunc(files, func(path string, _ []byte) bool {
		return !strings.HasPrefix(path, "assets/") || strings.HasSuffix(path, ".txt")
	})
	return p, nil
}
