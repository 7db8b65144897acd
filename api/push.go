package api

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

const (
	maxDocument = 8 << 20  // bytes of a template's text
	maxAssets   = 64 << 20 // of its assets together
	maxArchive  = 66 << 20 // of both, packed
	maxFiles    = 2000     // in an archive
)

var templateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// takenNames are words that stand where a template's name does in some path.
var takenNames = []string{"batch", "expression", "api", "events"}

func checkName(name string) error {
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
	if err := checkName(push.Name); err != nil {
		return err
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
	limit := int64(maxDocument)
	if kind == "application/zip" {
		limit = maxArchive
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return p, smallBodyError(err)
	}
	switch kind {
	case "text/html":
		return draft.Push{Source: data}, nil
	case "application/zip":
		return unpack(data)
	case "application/json":
		var body struct{ Name, HTML, Author string }
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil {
			return p, problem.New(problem.Invalid, `the body is not JSON of the form {"name": "card", "html": "<!doctype html>…"}: %w`, err).WithSlug(slugMalformed)
		}
		return draft.Push{Name: body.Name, Source: []byte(body.HTML), Author: body.Author}, nil
	}
	return p, problem.New(problem.Unsupported, "a template does not come as %q", r.Header.Get("Content-Type")).
		WithHint("send text/html, application/zip with NAME.html and assets/, or application/json with name and html")
}

// unpack reads an archive: one NAME.html at its top, and files under assets/.
func unpack(data []byte) (p draft.Push, err error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return p, badArchive("it cannot be read: %w", err)
	}
	if len(archive.File) > maxFiles {
		return p, badArchive("it has more than %d files", maxFiles)
	}
	p.Assets = map[string][]byte{}
	left := int64(maxAssets)
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		name, isDocument := strings.CutSuffix(f.Name, ".html")
		switch {
		case isDocument && !strings.Contains(name, "/"):
			if p.Name != "" {
				return p, badArchive("it has two documents, %s.html and %s", p.Name, f.Name)
			}
			p.Name = name
			if p.Source, err = extract(f, maxDocument); err != nil {
				return p, err
			}
		case isAsset(f.Name):
			content, err := extract(f, left)
			if err != nil {
				return p, err
			}
			left -= int64(len(content))
			p.Assets[f.Name] = content
		default:
			return p, badArchive("%q is neither NAME.html nor under assets/", f.Name)
		}
	}
	if p.Name == "" {
		return p, badArchive("it has no NAME.html")
	}
	return p, nil
}

// isAsset reports whether a path is one that an asset may have, and leads
// nowhere else.
func isAsset(name string) bool {
	return fs.ValidPath(name) && strings.HasPrefix(name, "assets/") && !strings.Contains(name, "/.") && !strings.ContainsAny(name, "\\:\x00")
}

// extract reads one file, whatever the archive says of its size.
func extract(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, badArchive("%s: %w", f.Name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, badArchive("%s: %w", f.Name, err)
	}
	if int64(len(data)) > limit {
		return nil, problem.New(problem.TooLarge, "the archive has more than the %d MiB of text or the %d MiB of assets allowed", maxDocument>>20, maxAssets>>20).
			WithHint("use smaller pictures; the next one is %s", f.Name)
	}
	return data, nil
}

func badArchive(format string, args ...any) error {
	return problem.New(problem.Invalid, "the archive is not one of a template: "+format, args...).WithSlug(slugBadArchive)
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
	if err := s.pack(r.Context(), &packed, v); err != nil {
		return fmt.Errorf("pack template %q: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ".zip"}))
	h.Set("ETag", etagOf(v.Number))
	_, _ = w.Write(packed.Bytes()) // a client that has gone reads nothing
	return nil
}

func (s *Server) pack(ctx context.Context, w io.Writer, v template.Version) error {
	archive := zip.NewWriter(w)
	out, err := archive.Create(v.Name + ".html")
	if err != nil {
		return err
	}
	if _, err := out.Write(v.Source); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(v.Assets)) {
		if err := s.packAsset(ctx, archive, path.Clean(name), v.Assets[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return archive.Close()
}

func (s *Server) packAsset(ctx context.Context, archive *zip.Writer, name, digest string) error {
	r, _, err := s.deps.Blobs.Open(ctx, digest)
	if err != nil {
		return problem.New(problem.Internal, "the bytes are not kept any more: %w", err)
	}
	defer r.Close()
	// Pictures are packed already.
	out, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return err
}
