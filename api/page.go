package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/studio"
)

// pagePolicy lets the page use what this server gives it and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A page is the files of the studio, by name.
type page map[string]pageFile

type pageFile struct {
	data []byte
	kind string
	etag string
}

func loadPage() (page, error) {
	files := page{}
	err := fs.WalkDir(studio.Files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(studio.Files, name)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(data)
		kind := mime.TypeByExtension(path.Ext(name))
		if path.Ext(name) == ".js" { // the machine's own table may say something else
			kind = "text/javascript; charset=utf-8"
		}
		files[path.Base(name)] = pageFile{data, kind, `"` + hex.EncodeToString(digest[:16]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	return files, nil
}

// servePage serves the first page, or the field for a key where there is no
// session yet. Neither holds any data.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) error {
	name := "index.html"
	if _, err := s.identify(r); err != nil {
		name = "login.html"
	}
	w.Header().Add("Vary", "Cookie, Authorization")
	return s.serveFile(w, r, name)
}

// servePageFile serves what the page is made of.
func (s *Server) servePageFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	if strings.HasSuffix(name, ".html") {
		return s.noPath(r)
	}
	return s.serveFile(w, r, name)
}

func (s *Server) serveFavicon(w http.ResponseWriter, r *http.Request) error {
	return s.serveFile(w, r, "icon.svg")
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	file, ok := s.page[name]
	if !ok {
		return s.noPath(r)
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("ETag", file.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.data))
	return nil
}
