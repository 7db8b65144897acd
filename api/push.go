package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

var templateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// takenNames are words that stand where a template's name does in some path.
var takenNames = []string{"batch", "expression", "api", "events"}

// CheckName says why a new template cannot have the name.
func CheckName(name string) error {
	if !templateName.MatchString(name) || slices.Contains(takenNames, name) || strings.HasSuffix(name, ".html") {
		return problem.New(problem.Invalid, "%q cannot be the name of a template", name).WithSlug(slugBadName).At("name").
			WithHint("use letters, digits, dots, dashes and underscores, up to 63; not %s", strings.Join(takenNames, ", "))
	}
	return nil
}

// createTemplate makes a template that is not there yet.
func (s *Server) createTemplate(w http.ResponseWriter, r *http.Request) error {
	push, err := readPush(w, r)
	if err != nil {
		return err
	}
	if push.Name == "" {
		push.Name = r.URL.Query().Get("name")
	}
	return s.push(w, r, push)
}

// replaceTemplate makes a whole document the newest version.
func (s *Server) replaceTemplate(w http.ResponseWriter, r *http.Request) error {
	number := int64(0)
	if strings.TrimSpace(r.Header.Get("If-None-Match")) != "*" {
		var err error
		if number, err = mustMatch(r, "the template, or If-None-Match: * where there is none yet"); err != nil {
			return err
		}
	}
	push, err := readPush(w, r)
	if err != nil {
		return err
	}
	push.Name, push.IfNumber = r.PathValue("id"), number
	return s.push(w, r, push)
}

func (s *Server) push(w http.ResponseWriter, r *http.Request, push draft.Push) error {
	if push.IfNumber == 0 { // a file may have made one of another name
		if err := CheckName(push.Name); err != nil {
			return err
		}
	}
	if !asker(r.Context()).uses(push.Name) {
		return noTemplate(push.Name)
	}
	var err error
	if push.Author, err = authorOf(r, cmp.Or(push.Author, r.URL.Query().Get("author"))); err != nil {
		return err
	}
	done, err := s.deps.Publisher.PublishPush(r.Context(), push)
	if err != nil {
		return fmt.Errorf("publish template %q: %w", push.Name, err)
	}
	status := http.StatusOK
	if done.Changed && push.IfNumber == 0 {
		status = http.StatusCreated
		w.Header().Set("Location", "/templates/"+push.Name)
	}
	return answerPublished(w, status, done)
}

// readPush reads a document: as HTML, as JSON with a name, or as a ZIP with its
// assets. Only a ZIP says what assets there are.
func readPush(w http.ResponseWriter, r *http.Request) (p draft.Push, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	limit := int64(draft.MaxDocument)
	if kind == "application/zip" {
		limit = draft.MaxArchive
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return p, smallBodyError(err)
	}
	switch kind {
	case "text/html":
		return draft.Push{Source: data}, nil
	case "application/zip":
		return draft.Unpack(data)
	case "application/json":
		var body struct{ Name, HTML, Author, From string }
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil {
			return p, problem.New(problem.Invalid, `the body is not JSON of the form {"name": "card", "html": "<!doctype html>…"}: %w`, err).WithSlug(slugMalformed)
		}
		if body.From != "" {
			name := cmp.Or(body.Name, r.URL.Query().Get("name"), r.PathValue("id"))
			return pushStarter(name, body.From, body.HTML, body.Author)
		}
		return draft.Push{Name: body.Name, Source: []byte(body.HTML), Author: body.Author}, nil
	}
	return p, problem.New(problem.Unsupported, "a template does not come as %q", r.Header.Get("Content-Type")).
		WithHint("send text/html, application/zip with NAME.html and assets/, or application/json with name and html, or with name and from, a starter")
}

// sendArchive sends a template with its assets as one ZIP, whose bytes depend on
// the version alone. ?version= names an older one.
func (s *Server) sendArchive(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	number := int64(0)
	if text := r.URL.Query().Get("version"); text != "" {
		if number, err = numberOf(text, "version"); err != nil {
			return err
		}
	}
	v, err := s.deps.Templates.Template(r.Context(), name, number)
	if err != nil {
		return err
	}
	var packed bytes.Buffer // whole, so that what is missing is said and not cut off
	if err := draft.Pack(r.Context(), &packed, v, s.openBlob); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ".zip"}))
	h.Set("ETag", etagOf(v.Number))
	_, _ = w.Write(packed.Bytes()) // a client that has gone reads nothing
	return nil
}

func (s *Server) openBlob(ctx context.Context, digest string) (io.ReadCloser, error) {
	r, _, err := s.deps.Blobs.Open(ctx, digest)
	if err != nil {
		return nil, problem.New(problem.Internal, "its bytes are not kept any more: %w", err)
	}
	return r, nil
}
