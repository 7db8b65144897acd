package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/template"
)

// framePolicy is what a template may do in the editor: show itself, with this
// server's files. The editor loads the frame in a sandbox without scripts as
// well; this holds whatever it is loaded in.
const framePolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"script-src 'none'; frame-ancestors 'self'; form-action 'none'; base-uri 'none'"

const frameTag = `"frame-1"`

const emptyFrame = "<!doctype html><html><head><title></title></head><body></body></html>\n"

// serveFrame serves the empty document that the editor writes a template into. It
// holds no data.
func (s *Server) serveFrame(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", framePolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", frameTag)
	_, _ = io.WriteString(w, emptyFrame) // a client that has gone reads nothing
	return nil
}

const remotePlace = "/studio/remote"

// remoteMessage is what is signed of a remote picture's address.
func remoteMessage(url string) string { return remotePlace + "\n" + url }

// remoteLink is where the editor finds a picture of another host. It has one
// parameter, because & is written otherwise in CSS than in HTML.
func (s *Server) remoteLink(url string) string {
	if len(s.signers.all()) == 0 {
		return remotePlace
	}
	at := base64.RawURLEncoding.EncodeToString([]byte(url))
	return remotePlace + "?at=" + signing.Sign(remoteMessage(url), s.signers.newest().Secret.Reveal()) + "." + at
}

// serveRemote serves a picture of another host that a drawing of this server's
// shows, through the same guard as the renderer. Nobody else names addresses here.
func (s *Server) serveRemote(w http.ResponseWriter, r *http.Request) error {
	sig, text, _ := strings.Cut(r.URL.Query().Get("at"), ".")
	url, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !signing.Verify(remoteMessage(string(url)), sig, s.signers.secrets()...) {
		return problem.New(problem.Forbidden, "this address was not given by a drawing of this server").WithSlug("bad_signature").
			WithHint("draw the template again")
	}
	pin, err := s.deps.Assets.Fetch(r.Context(), string(url), "")
	if err != nil {
		return asMissing(err)
	}
	return s.serveAsset(w, r, pin.Digest, "private, max-age=300")
}

// asMissing is why another host's picture can't be had: to the browser it is not
// there, and nothing is wrong with this server.
func asMissing(err error) error {
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != assets.FetchFailed {
		return err
	}
	gone := *p
	gone.Code = problem.NotFound
	return &gone
}

// assetPolicy keeps an SVG that somebody opens by itself from doing anything.
const assetPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// serveAsset serves the bytes of a file that a template shows.
func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request, digest, caching string) error {
	if etag := etagOfBytes(digest); r.Header.Get("If-None-Match") == etag {
		w.Header().Set("ETag", etag)
		w.Header().Set("Cache-Control", caching)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	data, kind, err := s.deps.Assets.Open(r.Context(), digest)
	if err != nil {
		return fmt.Errorf("open asset %s: %w", digest, err)
	}
	defer func() { _ = data.Close() }() // nothing was written to it
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", assetPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", caching)
	h.Set("ETag", etagOfBytes(digest))
	_, _ = io.Copy(w, data) // a client that has gone reads nothing
	return nil
}

// draftLink is where the editor finds the files of a draft's page.
func (s *Server) draftLink(name string) func(*template.Asset, *template.Remote) string {
	return func(a *template.Asset, r *template.Remote) string {
		if a != nil {
			return assetURL(name, strings.TrimPrefix(a.Path, "/"), a.Digest)
		}
		return s.remoteLink(r.URL)
	}
}
