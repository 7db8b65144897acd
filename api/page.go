package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/studio"
)

// pagePolicy lets the studio use what this server gives it and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	indexPage = "index.html" // the application: every page of it
	doorPage  = "login.html"
	barePage  = "bare.html" // in place of an application that was left out

	builtFolder = "assets/" // names in it hold a digest of what they name
)

// A page is the files of the studio, by their path below /studio/.
type page map[string]pageFile

type pageFile struct {
	data       []byte
	packedFunc func() []byte // as gzip, made when somebody first asks for it; nil or of nothing where that is not shorter
	kind       string
	etag       string
}

// loadPage is the same for every server of the process: it is part of the binary.
var loadPage = sync.OnceValues(func() (page, error) {
	files := page{}
	for root, from := range map[string]fs.FS{"door": studio.Door, "dist": studio.App} {
		err := fs.WalkDir(from, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(from, name)
			if err != nil {
				return err
			}
			files[strings.TrimPrefix(name, root+"/")] = newPageFile(name, data)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the page's files: %w", err)
		}
	}
	return files, nil
})

func newPageFile(name string, data []byte) pageFile {
	digest := sha256.Sum256(data)
	file := pageFile{
		data: data, packedFunc: sync.OnceValue(func() []byte { return packGzip(data) }),
		kind: mime.TypeByExtension(path.Ext(name)), etag: hex.EncodeToString(digest[:16]),
	}
	if path.Ext(name) == ".js" { // the machine's own table may say something else
		file.kind = "text/javascript; charset=utf-8"
	}
	return file
}

// packGzip is data as gzip; nil where that is not shorter.
func packGzip(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || b.Len() >= len(data) {
		return nil
	}
	return b.Bytes()
}

// servePage serves the application, whatever page of it is asked for, or the
// field for a key where there is no session yet. Neither holds any data.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) error {
	name := indexPage
	if _, ok := s.page[name]; !ok {
		name = barePage
	}
	w.Header().Add("Vary", "Cookie, Authorization")
	if _, err := s.identify(r); err != nil {
		return s.serveDoor(w, r)
	}
	return s.serveFile(w, r, name)
}

// doorWay is where the door leads, as it stands in its file.
const doorWay = `name="to" value="/"`

// serveDoor serves the field for a key, which leads on to the page that was asked
// for.
func (s *Server) serveDoor(w http.ResponseWriter, r *http.Request) error {
	to := ownPage(r.URL.RequestURI())
	if to == "/" {
		return s.serveFile(w, r, doorPage)
	}
	file := s.page[doorPage]
	file.data = bytes.Replace(file.data, []byte(doorWay), []byte(`name="to" value="`+html.EscapeString(to)+`"`), 1)
	digest := sha256.Sum256(file.data)
	file.packedFunc, file.etag = nil, hex.EncodeToString(digest[:16])
	return sendFile(w, r, doorPage, file)
}

// ownPage is to where it is a page of the studio, else the first page: a form may
// name any address, and nobody is to be led away by this server.
func ownPage(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/studio/") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}

// servePageFile serves what the pages are made of. A path that can be no file's is
// one of the application's own, which knows what stands there.
func (s *Server) servePageFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	switch ext := path.Ext(name); {
	case ext == ".html", strings.HasPrefix(name, builtFolder) && s.page[name].data == nil:
		return s.noPath(r)
	case s.page[name].data != nil, ext == ".js", ext == ".css":
		return s.serveFile(w, r, name)
	}
	return s.servePage(w, r)
}

func (s *Server) serveFavicon(w http.ResponseWriter, r *http.Request) error {
	return s.serveFile(w, r, "icon.svg")
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	file, ok := s.page[name]
	if !ok {
		return s.noPath(r)
	}
	return sendFile(w, r, name, file)
}

func sendFile(w http.ResponseWriter, r *http.Request, name string, file pageFile) error {
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, builtFolder) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Security-Policy", pagePolicy)
	h.Add("Vary", "Accept-Encoding")
	data, etag := file.data, file.etag
	if file.packedFunc != nil && takesGzip(r) {
		if packed := file.packedFunc(); packed != nil {
			data, etag = packed, file.etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// takesGzip reports whether r's sender reads gzip.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
