package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// Assets keeps the files that templates and rows show; *assets.Library is one.
type Assets interface {
	// Fetch is the pin of a remote address. A failure is a problem.
	Fetch(ctx context.Context, url, scope string) (assets.Pin, error)
	// Put keeps bytes that are an image or a font.
	Put(ctx context.Context, data []byte, contentType string) (digest string, err error)
	// Open is the bytes of a digest and their type.
	Open(ctx context.Context, digest string) (r io.ReadCloser, contentType string, err error)
}

const (
	assetFolder = "assets/"
	maxAsset    = 20 << 20 // bytes
)

// assetURL is where a file of a draft is served; path begins with assets/.
func assetURL(name, path, digest string) string {
	return "/templates/" + url.PathEscape(name) + "/draft/" + escapedPath(path) + "?v=" + digest
}

func escapedPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// A draftAsset is a file of a draft.
type draftAsset struct {
	Path        string `json:"path"` // assets/shoe.jpg
	Digest      string `json:"digest"`
	Size        int64  `json:"size"`
	ContentType string `json:"contentType"` // of the bytes themselves
	URL         string `json:"url"`
}

// A draftAssetList is the files of a draft, by path.
type draftAssetList struct {
	Revision int64        `json:"revision"`
	Assets   []draftAsset `json:"assets"`
}

// An assetStep is a step that gave a draft a file, or took one away.
type assetStep struct {
	Revision int64             `json:"revision"`
	Ops      []json.RawMessage `json:"ops"`     // that were applied
	Inverse  []json.RawMessage `json:"inverse"` // takes the step back
	Touched  []string          `json:"touched"`
	Asset    *draftAsset       `json:"asset"` // null: it was taken away
}

func (s *Server) describeAsset(ctx context.Context, name, path, digest string) (draftAsset, error) {
	data, kind, err := s.deps.Assets.Open(ctx, digest)
	if err != nil {
		return draftAsset{}, fmt.Errorf("open the file %s of the draft of %q: %w", path, name, err)
	}
	size, err := sizeOf(data)
	return draftAsset{path, digest, size, kind, assetURL(name, path, digest)}, errors.Join(err, data.Close())
}

// sizeOf is how many bytes r has; r need not be read any more.
func sizeOf(r io.Reader) (int64, error) {
	if seeker, ok := r.(io.Seeker); ok {
		return seeker.Seek(0, io.SeekEnd)
	}
	return io.Copy(io.Discard, r)
}

func (s *Server) listAssets(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	v := draftAssetList{Revision: d.Revision, Assets: []draftAsset{}}
	for _, path := range slices.Sorted(maps.Keys(d.Assets)) {
		one, err := s.describeAsset(r.Context(), name, path, d.Assets[path])
		if err != nil {
			return err
		}
		v.Assets = append(v.Assets, one)
	}
	w.Header().Set("ETag", etagOf(d.Revision))
	return answer(w, http.StatusOK, v)
}

// sendAsset serves a file of the draft. Under the address that an older revision
// gave, its own bytes are served only while the draft has them.
func (s *Server) sendAsset(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	path := assetFolder + r.PathValue("path")
	digest, ok := d.Assets[path]
	if !ok {
		return noAsset(name, path)
	}
	caching := "private, no-cache"
	if r.URL.Query().Get("v") == digest {
		caching = "private, max-age=31536000, immutable"
	}
	return s.serveAsset(w, r, digest, caching)
}

func noAsset(name, path string) error {
	return problem.New(problem.NotFound, "the draft of %q has no file %s", name, path).WithSlug("asset_not_found").
		WithHint("GET /templates/%s/draft/assets lists them", url.PathEscape(name))
}

// putAsset gives the draft a file.
func (s *Server) putAsset(w http.ResponseWriter, r *http.Request) error {
	path := assetFolder + r.PathValue("path")
	if p := draft.CheckFilePath(path); p != nil {
		return p
	}
	return s.stepOfAsset(w, r, path, func() (string, error) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsset))
		if err != nil {
			return "", smallBodyError(err)
		}
		digest, err := s.deps.Assets.Put(r.Context(), data, r.Header.Get("Content-Type"))
		if err != nil {
			return "", asUpload(path, err)
		}
		return digest, nil
	})
}

// asUpload is why bytes can't be a file of a template, as the request's mistake.
func asUpload(path string, err error) error {
	p := problem.All(err)[0]
	if p.Code == problem.Internal {
		return fmt.Errorf("keep the file %s: %w", path, err)
	}
	wrong := *p
	wrong.Message = path + " is " + strings.TrimPrefix(wrong.Message, "is ")
	if wrong.Hint == "" {
		wrong.Hint = "a file is a PNG, JPEG, GIF, WebP, AVIF or SVG, or a font in WOFF2, WOFF, TTF or OTF"
	}
	return &wrong
}

// removeAsset takes a file out of the draft. One that the document names stays.
func (s *Server) removeAsset(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	path := assetFolder + r.PathValue("path")
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	if _, ok := d.Assets[path]; !ok {
		return noAsset(name, path)
	}
	return s.stepOfAsset(w, r, path, func() (string, error) { return "", nil })
}

// stepOfAsset makes the draft have the file that keep gives the digest of.
func (s *Server) stepOfAsset(w http.ResponseWriter, r *http.Request, path string, keep func() (digest string, err error)) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	revision, err := mustMatch(r, "the draft")
	if err != nil {
		return err
	}
	author, err := authorOf(r, r.URL.Query().Get("author"))
	if err != nil {
		return err
	}
	digest, err := keep()
	if err != nil {
		return err
	}
	done, err := s.deps.Desk.Edit(r.Context(), draft.Edit{
		Name: name, Revision: revision, Ops: []json.RawMessage{draft.PutFile(path, digest)}, Author: author,
	})
	if err != nil {
		return err
	}
	v := assetStep{Revision: done.Draft.Revision, Ops: done.Step.Ops, Inverse: done.Step.Inverse, Touched: done.Step.Touched}
	if digest != "" {
		one, err := s.describeAsset(r.Context(), name, path, digest)
		if err != nil {
			return err
		}
		v.Asset = &one
	}
	w.Header().Set("ETag", etagOf(v.Revision))
	return answer(w, http.StatusOK, v)
}
